#include "checker.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "check/access.h"
#include "check/epochs.h"
#include "check/hygiene.h"
#include "check/probe.h"
#include "check/sites.h"
#include "check/stripes.h"
#include "device/export.h"
#include "device/memory.h"
#include "device/sync.h"

namespace hipaudit {

uint64_t first_followed = 0;

namespace {

// Shared memory of a fresh block: its variables exist and hold nothing, all between them is out of
// bounds.
void reset_shared_states(Worker& worker) {
  const Launch& launch = *worker.launch;
  WorkerCheck& check = check_of(worker);
  const Kernel& kernel = *launch.kernel;
  size_t words = (kernel.dynamic_offset + launch.shape.shared_bytes) / 4 + 64;
  State* states = check.shared.states;
  std::fill(states, states + words, State{0});
  for (const SharedVariable& variable : kernel.shared)
    mark_states(states, variable.offset, variable.size, kAddressable, 0);
  mark_states(states, kernel.dynamic_offset, launch.shape.shared_bytes, kAddressable, 0);
}

// Who did not come to the barrier, or came to another one.
void check_divergence(Worker& worker, Block& block) {
  const Launch& launch = *worker.launch;
  const Fiber* first = nullptr;
  for (const Fiber& fiber : block.fibers) {
    if (!fiber.started || fiber.finished) continue;
    if (first == nullptr) first = &fiber;
    if (fiber.site == first->site) continue;
    Observation seen;
    seen.kind = "barrier-divergence";
    seen.message = "threads of one block wait at different barriers";
    seen.here = {reinterpret_cast<uintptr_t>(first->site) - 1, block.index.flat, first->index.flat};
    seen.other = {reinterpret_cast<uintptr_t>(fiber.site) - 1, block.index.flat, fiber.index.flat};
    observe(launch, seen);
    return;
  }
  if (first == nullptr || block.live == block.size) return;
  bool torn = false;
  for (const Wave& wave : block.waves) torn = torn || (wave.live > 0 && wave.live < wave.count);
  Observation seen;
  seen.kind = "barrier-divergence";
  seen.severity = torn ? "error" : "warning";
  seen.message = std::to_string(block.size - block.live) + " of " + std::to_string(block.size) +
                 " threads ended before this barrier" +
                 (torn ? ", lanes of waves that wait at it among them"
                       : ": whole waves, which the hardware forgives and HIP does not");
  seen.here = {reinterpret_cast<uintptr_t>(first->site) - 1, block.index.flat, first->index.flat};
  observe(launch, seen);
}

// Beyond as many words of global memory, reads of nothing are reported without waiting for an
// explanation.
constexpr size_t kMostUnwritten = size_t{1} << 16;
Mutex unwritten_mutex;
Unwritten& unwritten_global() {
  static auto* map = new Unwritten;
  return *map;
}

void settle(const Launch& launch, Unwritten& unwritten) {
  for (const auto& [word, seen] : unwritten) observe(launch, seen);
  unwritten.clear();
}

void memory_freed(const Allocation& allocation) {
  if (allocation.address - kDeviceBase >= kDeviceSpan) return;
  mark(allocation.address, std::min<size_t>(allocation.size, 8192), 0, 0xff);
  if (allocation.size > 8192) {
    forget(allocation.address, allocation.size);
    mark(allocation.address + allocation.size / 4096 * 4096 - 4096, allocation.size % 4096 + 4096,
         0, 0xff);
  }
}

void memory_written(uintptr_t address, size_t size) {
  if (address - kDeviceBase < kDeviceSpan) mark(address, size, kInitialised | kAddressable, 0);
}

// When epochs began again, records of shared memory mean nothing any more.
void drop_old_numbers(WorkerCheck& check) {
  if (check.beginnings == epoch_beginnings()) return;
  forget_accesses(check.shared, kSharedSpan);
  check.beginnings = epoch_beginnings();
}

// A copy hands undefined bytes on.
void memory_copied(uintptr_t to, uintptr_t from, size_t size) {
  memory_written(to, size);
  if (from - kDeviceBase >= kDeviceSpan || to - kDeviceBase >= kDeviceSpan) return;
  if ((to | from) % 4 != 0) return;
  for (size_t word = 0; word + 4 <= size; word += 4)
    if (State state = *state_of(from + word); state != 0)
      *state_of(to + word) = static_cast<State>((state & kInitialised) | kAddressable);
}

}  // namespace

Checker& checker() {
  static Checker instance;
  return instance;
}

WorkerCheck& check_of(Worker& worker) {
  if (worker.check == nullptr) {
    auto* check = new WorkerCheck;
    check->shared = new_shadow(kSharedSpan);
    worker.check = check;
  }
  return *static_cast<WorkerCheck*>(worker.check);
}

void publish(const Worker& worker, const BlockCheck& check) {
  CheckWindow& window = context().check;
  auto place = [](uint32_t epoch) { return uint64_t{epoch} << Record::kEpochBit; };
  window.epoch = place(check.epoch);
  window.launch_floor = place(first_epoch());
  window.block_floor = place(check.first);
  window.global_floor = place(check.past.global + 1);
  window.global_span = place(check.end - (check.past.global + 1));
  window.shared_floor = place(check.past.local + 1);
  window.shared_span = place(check.end - (check.past.local + 1));
  window.irregular = check.anyone_acquired || !check.older.empty() ? 1 : 0;
  const Shadow& shared = static_cast<const WorkerCheck*>(worker.check)->shared;
  window.shared_states = shared.states;
  window.shared_writes = reinterpret_cast<unsigned long long*>(shared.writes);
  window.shared_reads = reinterpret_cast<unsigned long long*>(shared.reads);
  window.shared_seconds = shared.seconds.base();
  window.sites = running_sites().numbers();
  window.code = worker.launch->kernel->image->code_begin();
  window.wave_bit = Record::kThreadBit + worker.launch->wave_shift;
  publish_stripes(window, worker.number, worker.launch->workers > 1);
}

void note_unwritten(const Present& now, uintptr_t word, const Observation& seen) {
  if (now.shared) {
    now.check->unwritten.emplace(word, seen);
    return;
  }
  Locked lock(unwritten_mutex);
  if (unwritten_global().size() < kMostUnwritten)
    unwritten_global().emplace(word, seen);
  else
    observe(*now.worker->launch, seen);
}

void explain_unwritten(const Present& now, uintptr_t word) {
  if (now.shared) {
    now.check->unwritten.erase(word);
    return;
  }
  Locked lock(unwritten_mutex);
  unwritten_global().erase(word);
}

bool start_checking() {
  static bool started = false;
  if (started) return true;
  if (!map_shadow()) return false;
  started = true;
  if (void* probe = allocate(1, MemoryKind::device)) {
    Allocation allocation;
    if (find_allocation(reinterpret_cast<uintptr_t>(probe), &allocation))
      first_followed = allocation.id;
    release(probe);
  }
  MemoryObserver observer;
  observer.freed = memory_freed;
  observer.written = memory_written;
  observer.copied = memory_copied;
  observe_memory(observer);
  return true;
}

void Checker::launch_begins(Launch& launch) {
  begin_epochs(launch.blocks);
  begin_stripes();
  enter_sites(*launch.kernel->image);
  begin_hygiene(launch);
}

void Checker::launch_ends(Launch& launch) {
  // In a launch that was given up, writes are missing that would have come.
  if (launch.stop.load()) unwritten_global().clear();
  settle(launch, unwritten_global());
  journal_observations(launch);
  end_hygiene(launch);
  forget_atomics();
  forget_probes();
}

void Checker::block_begins(Worker& worker, Block& block) {
  if (block.check == nullptr) block.check = new BlockCheck;
  BlockCheck& check = check_of(block);
  check = BlockCheck{};
  check.index = block.index.flat;
  enter_epochs(check);
  drop_old_numbers(check_of(worker));
  reset_shared_states(worker);
  publish(worker, check);
}

void Checker::block_set_aside(Worker& worker, Block& block) {
  size_t words =
      (worker.launch->kernel->dynamic_offset + worker.launch->shape.shared_bytes) / 4 + 64;
  State* states = check_of(worker).shared.states;
  check_of(block).shared.assign(states, states + words);
}

void Checker::block_resumed(Worker& worker, Block& block) {
  const auto& saved = check_of(block).shared;
  std::copy(saved.begin(), saved.end(), check_of(worker).shared.states);
  publish(worker, check_of(block));
}

void Checker::block_ends(Worker& worker, Block& block) {
  WorkerCheck& check = check_of(worker);
  flush_pending(check, *worker.launch);
  // In a launch that was given up, writes are missing that would have come.
  Unwritten& unwritten = check_of(block).unwritten;
  if (worker.launch->stop.load()) unwritten.clear();
  settle(*worker.launch, unwritten);
  settle_probes(worker, block);
  note_shared_use(*worker.launch, check.shared.states);
  worker.launch->accesses.fetch_add(context().check.accesses);
  worker.launch->moved.fetch_add(context().check.moved);
  context().check.accesses = 0;
  context().check.moved = 0;
}

void Checker::barrier_completes(Worker& worker, Block& block, int kind) {
  flush_pending(check_of(worker), *worker.launch);
  check_divergence(worker, block);
  kind = note_barrier(*worker.launch, block, kind);
  if (kind < 0) return;
  BlockCheck& check = check_of(block);
  settle(*worker.launch, check.unwritten);
  if ((kind & kBarrierLocal) != 0) check.past.local = check.epoch;
  if ((kind & kBarrierGlobal) != 0) check.past.global = check.epoch;
  check.bare = check.epoch;
  if (!check.threads.empty()) atomics_at_barrier(block);
  if ((kind & kBarrierFull) == kBarrierFull)
    advance_past_barrier(check);
  else
    advance_epoch(check);
  publish(worker, check);
}

// Everything before a barrier of the grid is past: the blocks go on as if in a new launch.
void Checker::grid_barrier_completes(Launch& launch) { begin_epochs(launch.blocks); }

void Checker::block_passes_grid(Worker& worker, Block& block) {
  BlockCheck& check = check_of(block);
  if (check.floor != first_epoch()) {
    drop_old_numbers(check_of(worker));
    check.older.clear();
    enter_epochs(check);
  }
  publish(worker, check);
}

void Checker::wave_meets(Worker& worker, Block& block, uint32_t wave, uint64_t lanes,
                         bool ordered) {
  flush_pending(check_of(worker), *worker.launch);
  BlockCheck& check = check_of(block);
  if (!ordered) {
    if (check.threads.empty()) return;
    fences_at_wave(block, wave << worker.launch->wave_shift, lanes);
    check.wave_bare[wave] = check.epoch;
    return;
  }
  check.wave_past[wave] = check.epoch;
  advance_epoch(check);
  if (!check.threads.empty()) atomics_at_wave(block, wave << worker.launch->wave_shift, lanes);
  publish(worker, check);
}

void Checker::thread_ends(Worker& worker, Block& block, Fiber& fiber) {
  WorkerCheck& check = check_of(worker);
  flush_pending(check, *worker.launch);
  if (check.index_site == nullptr) return;
  Observation seen;
  seen.kind = "out-of-bounds-private";
  seen.space = "private";
  seen.message = check.index_message;
  seen.here = {reinterpret_cast<uintptr_t>(check.index_site) - 1, block.index.flat,
               fiber.index.flat};
  observe(*worker.launch, seen);
  check.index_site = nullptr;
  clear_attention(kIndexLeft);
}

Side present_side(Worker& worker, uintptr_t pc) {
  return {pc, worker.block->index.flat, worker.current->index.flat};
}

void flush_pending(WorkerCheck& check, const Launch& launch) {
  PendingWrite& pending = check.pending;
  if (pending.seen.empty()) return;
  clear_attention(kPendingWrite);
  const void* now = reinterpret_cast<const void*>(pending.address);
  bool same = memcmp(pending.before.data(), now, pending.before.size()) == 0;
  for (Observation& seen : pending.seen) {
    if (same) {
      seen.severity = "info";
      if (seen.here.block == seen.other.block)
        seen.kind = seen.space[0] == 's' ? "race-shared" : "race-global";
      seen.message = "both wrote the same value";
    }
    observe(launch, seen);
  }
  pending.seen.clear();
}

uint32_t wave_of(const Record& record, const Present& now) {
  return record.thread() >> now.worker->launch->wave_shift;
}

bool happened_before(const Record& record, const Present& now) {
  // An earlier launch, no access at all, or one of which the time is not known.
  if (record.epoch() < first_epoch() || record.epoch() >= kSpentEpochs) return true;
  const BlockCheck& check = *now.check;
  uint32_t epoch = record.epoch();
  if (!check.contains(record)) {
    if (now.shared) return true;  // the last block's, gone with it
    for (const auto& [first, end] : check.older)
      if (epoch - first < end - first) return true;
    return covered(check.acquired, record, Reach::device, now.shared) ||
           (!check.threads.empty() &&
            covered(check.threads[now.thread].acquired, record, Reach::device, now.shared));
  }
  if (record.thread() == now.thread || epoch <= check.past.of(now.shared)) return true;
  uint32_t wave = wave_of(record, now);
  if (wave == now.wave && epoch <= check.wave_past[wave]) return true;
  if (check.threads.empty()) return false;
  const ThreadSync& sync = check.threads[now.thread];
  Reach distance = wave == now.wave ? Reach::wave : Reach::block;
  if (wave == now.wave && epoch <= sync.wave_seen &&
      epoch <= check.threads[record.thread()].wave_released)
    return true;
  return epoch <= sync.past || covered(check.acquired, record, distance, now.shared) ||
         covered(sync.acquired, record, distance, now.shared);
}

}  // namespace hipaudit

// The checks that a checked build makes, by name.
HIPAUDIT_EXPORT const char* hipaudit_checkers() {
  return "bounds,lifetime,initialisation,races,barriers,undefined-behaviour";
}
