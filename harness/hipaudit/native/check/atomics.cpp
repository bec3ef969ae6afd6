// What threads learn of each other through atomics and fences.
//
// A release is an atomic write that a fence came before (or that releases by itself); an acquire is
// an atomic read of it that a fence follows (or that acquires by itself). Then everything that the
// releasing thread knew at its fence is past for the acquiring block.
#include <algorithm>

#include "check/access.h"
#include "device/sync.h"

namespace hipaudit {
namespace {

Mutex mutex;

// Releases through an atomic; they live until the launch ends.
std::map<uintptr_t, std::vector<const Release*>>& released() {
  static auto* map = new std::map<uintptr_t, std::vector<const Release*>>;
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

void add(std::vector<const Release*>& to, const Release* release) {
  for (const Release*& known : to) {
    if (known->instance != release->instance || known->thread != release->thread) continue;
    if (known->time <= release->time) known = release;
    return;
  }
  to.push_back(release);
}

void add(std::vector<uintptr_t>& to, uintptr_t address) {
  if (std::find(to.begin(), to.end(), address) == to.end()) to.push_back(address);
}

// What was observed becomes known: of other blocks to the whole block, of the own block to the
// thread. Only which atomics were read is kept: their releases are looked up when a conflict shows,
// after the read itself, which this call comes before.
void learn(Block& block, ThreadSync& sync) {
  for (uintptr_t address : sync.observed) {
    add(sync.acquired, address);
    add(check_of(block).acquired, address);
  }
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

bool covered(const std::vector<uintptr_t>& acquired, const Record& record, uint32_t wave,
             bool shared) {
  Locked lock(mutex);
  for (uintptr_t address : acquired) {
    for (const Release* release : released()[address]) {
      if (release->instance != record.instance) continue;
      if (release->thread == record.thread && record.time <= release->time) return true;
      const Horizon& known = release->known;
      if (record.time < (shared ? known.local[wave] : known.global[wave])) return true;
    }
  }
  return false;
}

void Checker::fence(Worker& worker, int, int) {
  flush_pending(check_of(worker), *worker.launch);
  BlockCheck& check = check_of(*worker.block);
  ThreadSync& sync = sync_of(*worker.block, worker.current->index.flat);
  sync.fenced = sync.fenced_since_barrier = true;
  if (check.bare_released) std::copy(check.bare, check.bare + kMostWaves, sync.horizon);
  learn(*worker.block, sync);
}

void atomic_access(Worker& worker, uintptr_t address, uint32_t size, int order, int scope, int kind,
                   uintptr_t pc) {
  check_access(address, size, {Access::atomic, scope <= 3}, pc);
  Block& block = *worker.block;
  ThreadSync& sync = sync_of(block, worker.current->index.flat);
  bool reads = kind != 1;
  bool writes = kind != 0;
  if (reads) add(sync.observed, address);
  if (reads && acquires(order)) learn(block, sync);
  // What other threads of the block published before a barrier goes along with the fence of this
  // one, and what the block knew of others goes along too.
  if (!writes || !(releases(order) || sync.fenced)) return;
  const Release* mine = snapshot(worker);
  Locked lock(mutex);
  std::vector<const Release*> all{mine};
  for (uintptr_t known : check_of(block).acquired)
    for (const Release* release : released()[known]) all.push_back(release);
  for (const Release* release : all) add(released()[address], release);
}

}  // namespace hipaudit
