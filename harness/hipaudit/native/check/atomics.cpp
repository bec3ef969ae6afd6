// What threads learn of each other through atomics and fences.
//
// A release is an atomic write that a fence came before (or that releases by itself); an acquire is an
// atomic read of it that a fence follows (or that acquires by itself). Then everything that the releasing
// thread knew at its fence is past for the acquiring block.
#include <algorithm>

#include "check/access.h"
#include "device/sync.h"

namespace hipaudit {
namespace {

Mutex mutex;

std::map<uintptr_t, Releases>& released() {
  static auto* map = new std::map<uintptr_t, Releases>;
  return *map;
}

ThreadSync& sync_of(Block& block, uint32_t thread) {
  BlockCheck& check = check_of(block);
  if (check.threads.empty()) check.threads.resize(static_cast<size_t>(block.size));
  return check.threads[thread];
}

std::vector<const Release*>& arena() {
  static auto* all = new std::vector<const Release*>;
  return *all;
}

// Called without the lock.
const Release* snapshot(Worker& worker) {
  Block& block = *worker.block;
  const BlockCheck& check = check_of(block);
  uint32_t thread = worker.current->index.flat;
  auto* release = new Release;
  release->instance = check.instance;
  release->thread = static_cast<uint16_t>(thread);
  release->time = check.time[thread >> worker.launch->wave_shift];
  release->known = check.horizon;
  Locked lock(mutex);
  arena().push_back(release);
  return release;
}

void add(Releases& to, const Release* release) {
  for (const Release*& known : to) {
    if (known->instance != release->instance || known->thread != release->thread) continue;
    if (known->time <= release->time) known = release;
    return;
  }
  to.push_back(release);
}

void add(Releases& to, const Releases& more) {
  for (const Release* release : more) add(to, release);
}

// What was observed becomes known: of other blocks to the whole block, of the own block to the thread.
void learn(Block& block, ThreadSync& sync) {
  BlockCheck& check = check_of(block);
  for (const Release* release : sync.observed)
    add(release->instance == check.instance ? sync.known : check.known, release);
  sync.observed.clear();
}

bool acquires(int order) { return order == 1 || order == 2 || order >= 4; }
bool releases(int order) { return order >= 3; }

}  // namespace

void forget_atomics() {
  Locked lock(mutex);
  released().clear();
  for (const Release* release : arena()) delete release;
  arena().clear();
}

void Checker::fence(Worker& worker, int, int) {
  flush_pending(check_of(worker), *worker.launch);
  ThreadSync& sync = sync_of(*worker.block, worker.current->index.flat);
  sync.fenced = true;
  learn(*worker.block, sync);
}

void atomic_access(Worker& worker, uintptr_t address, uint32_t size, int order, int scope, int kind,
                   uintptr_t pc) {
  check_access(address, size, {Access::atomic, scope <= 3}, pc);
  static_cast<WorkerCheck*>(worker.check)->noted_atomic = address;
  Block& block = *worker.block;
  ThreadSync& sync = sync_of(block, worker.current->index.flat);
  bool reads = kind != 1;
  bool writes = kind != 0;
  const Release* mine = nullptr;
  // What other threads of the block published before a barrier goes along with the fence of this one.
  if (writes && (releases(order) || sync.fenced)) mine = snapshot(worker);
  Locked lock(mutex);
  Releases& place = released()[address];
  if (reads) {
    add(sync.observed, place);
    if (acquires(order)) learn(block, sync);
  }
  if (!writes) return;
  if (!reads) place.clear();  // a plain atomic store ends the chain of updates
  if (mine == nullptr) return;
  add(place, mine);
  add(place, check_of(block).known);
}

}  // namespace hipaudit
