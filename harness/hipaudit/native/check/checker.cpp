#include "checker.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "check/access.h"
#include "check/hygiene.h"
#include "check/probe.h"
#include "check/sites.h"
#include "device/export.h"
#include "device/memory.h"
#include "device/sync.h"

namespace hipaudit {

uint32_t first_instance = 1;
uint64_t first_followed = 0;

namespace {

std::atomic<uint32_t> next_instance{1};
Mutex extra_mutex;

// Instances given out in the middle of a launch, and the block that each one is.
std::map<uint32_t, uint32_t>& extra_instances() {
  static auto* map = new std::map<uint32_t, uint32_t>;
  return *map;
}
uint64_t launch_blocks = 0;

void* map_lazily(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

// Shared memory of a fresh block: its variables exist and hold nothing, all between them is out of
// bounds.
void reset_shared_states(Worker& worker) {
  const Launch& launch = *worker.launch;
  WorkerCheck& check = check_of(worker);
  const Kernel& kernel = *launch.kernel;
  size_t words = (kernel.dynamic_offset + launch.shape.shared_bytes) / 4 + 64;
  std::fill(check.states, check.states + words, State{0});
  for (const SharedVariable& variable : kernel.shared)
    mark_states(check.states, variable.offset, variable.size, kAddressable, 0);
  mark_states(check.states, kernel.dynamic_offset, launch.shape.shared_bytes, kAddressable, 0);
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

// Reads of words that held nothing, now that the interval between two barriers is over. A word that
// another thread wrote meanwhile may have been read too early: that is a race and reported as one.
void settle_unwritten(Worker& worker, Block& block) {
  BlockCheck& check = check_of(block);
  for (const UnwrittenRead& read : check.unwritten)
    if (std::find(check.raced.begin(), check.raced.end(), read.cell) == check.raced.end())
      observe(*worker.launch, read.seen);
  check.unwritten.clear();
  check.raced.clear();
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

void advance_time(Block& block, BlockCheck& check, uint32_t wave) {
  if (++check.time[wave] < 0xffff) return;
  // Out of numbers: go on as another instance, to which the old one is past.
  Locked lock(extra_mutex);
  check.older.push_back(check.instance);
  check.instance = next_instance.fetch_add(1);
  extra_instances()[check.instance] = block.index.flat;
  for (uint32_t w = 0; w < kMostWaves; ++w) {
    check.time[w] = 1;
    check.met[w] = check.horizon.local[w] = check.horizon.global[w] = check.bare[w] = 0;
  }
}

Checker& checker() {
  static Checker instance;
  return instance;
}

WorkerCheck& check_of(Worker& worker) {
  if (worker.check == nullptr) {
    auto* check = new WorkerCheck;
    check->states = static_cast<State*>(map_lazily(kSharedSpan / 4));
    check->cells = static_cast<Cell*>(map_lazily(kSharedSpan / 4 * sizeof(Cell)));
    worker.check = check;
  }
  return *static_cast<WorkerCheck*>(worker.check);
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
  Locked lock(extra_mutex);
  // Numbers run out after 2^32 blocks: begin again with an empty shadow.
  if (next_instance.load() > 0xffffffffu - launch.blocks - (1u << 20)) {
    madvise(reinterpret_cast<void*>(kCellBase), kDeviceSpan / 4 * sizeof(Cell), MADV_DONTNEED);
    next_instance = 1;
  }
  extra_instances().clear();
  enter_sites(*launch.kernel->image);
  begin_hygiene(launch);
  launch_blocks = launch.blocks;
  first_instance = next_instance.fetch_add(static_cast<uint32_t>(launch.blocks));
}

void Checker::launch_ends(Launch& launch) {
  journal_observations(launch);
  end_hygiene(launch);
  forget_atomics();
  forget_probes();
}

uint32_t block_of(uint32_t instance) {
  if (instance - first_instance < launch_blocks) return instance - first_instance;
  Locked lock(extra_mutex);
  auto found = extra_instances().find(instance);
  return found == extra_instances().end() ? 0 : found->second;
}

void Checker::block_begins(Worker& worker, Block& block) {
  if (block.check == nullptr) block.check = new BlockCheck;
  BlockCheck& check = check_of(block);
  check = BlockCheck{};
  check.instance = first_instance + block.index.flat;
  for (uint16_t& time : check.time) time = 1;
  reset_shared_states(worker);
}

void Checker::block_set_aside(Worker& worker, Block& block) {
  size_t words =
      (worker.launch->kernel->dynamic_offset + worker.launch->shape.shared_bytes) / 4 + 64;
  State* states = check_of(worker).states;
  check_of(block).shared.assign(states, states + words);
}

void Checker::block_resumed(Worker& worker, Block& block) {
  const auto& saved = check_of(block).shared;
  std::copy(saved.begin(), saved.end(), check_of(worker).states);
}

void Checker::block_ends(Worker& worker, Block& block) {
  WorkerCheck& check = check_of(worker);
  flush_pending(check, *worker.launch);
  // In a launch that was given up, writes are missing that would have come.
  if (worker.launch->stop.load()) check_of(block).unwritten.clear();
  settle_unwritten(worker, block);
  settle_probes(worker, block);
  note_shared_use(*worker.launch, check.states);
  worker.launch->accesses.fetch_add(check.accesses);
  check.accesses = 0;
}

void Checker::barrier_completes(Worker& worker, Block& block, int kind) {
  flush_pending(check_of(worker), *worker.launch);
  check_divergence(worker, block);
  kind = note_barrier(*worker.launch, block, kind);
  if (kind < 0) return;
  settle_unwritten(worker, block);
  BlockCheck& check = check_of(block);
  for (uint32_t wave = 0; wave < block.waves.size(); ++wave) {
    advance_time(block, check, wave);
    if ((kind & kBarrierLocal) != 0) check.horizon.local[wave] = check.time[wave];
    if ((kind & kBarrierGlobal) != 0) check.horizon.global[wave] = check.time[wave];
    check.met[wave] = check.bare[wave] = check.time[wave];
  }
  if (!check.threads.empty()) atomics_at_barrier(block);
}

// Everything before a barrier of the grid is past: the blocks go on as if in a new launch.
void Checker::grid_barrier_completes(Launch& launch) {
  first_instance = next_instance.fetch_add(static_cast<uint32_t>(launch.blocks));
}

void Checker::block_passes_grid(Worker&, Block& block) {
  BlockCheck& check = check_of(block);
  if (check.instance < first_instance) check.instance = first_instance + block.index.flat;
}

void Checker::wave_meets(Worker& worker, Block& block, uint32_t wave, uint64_t lanes,
                         bool ordered) {
  flush_pending(check_of(worker), *worker.launch);
  if (!ordered) return;
  BlockCheck& check = check_of(block);
  advance_time(block, check, wave);
  check.met[wave] = check.time[wave];
  if (!check.threads.empty()) atomics_at_wave(block, wave << worker.launch->wave_shift, lanes);
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
}

Side present_side(Worker& worker, uintptr_t pc) {
  return {pc, worker.block->index.flat, worker.current->index.flat};
}

void flush_pending(WorkerCheck& check, const Launch& launch) {
  if (!check.pending.active) return;
  check.pending.active = false;
  bool same = memcmp(check.pending.before, reinterpret_cast<const void*>(check.pending.address),
                     check.pending.size) == 0;
  if (same) {
    Observation& seen = check.pending.seen;
    seen.severity = "info";
    if (seen.here.block == seen.other.block)
      seen.kind = seen.space[0] == 's' ? "race-shared" : "race-global";
    check.pending.seen.message = "both wrote the same value";
  }
  observe(launch, check.pending.seen);
}

bool happened_before(const Record& record, const Present& now) {
  if (record.instance < first_instance) return true;  // an earlier launch, or no access at all
  const BlockCheck& check = *now.check;
  uint32_t wave = record.thread >> now.worker->launch->wave_shift;
  if (record.instance != check.instance) {
    if (now.shared) return true;  // the last block's, gone with it
    if (std::find(check.older.begin(), check.older.end(), record.instance) != check.older.end())
      return true;
    return covered(check.acquired, record, wave, Reach::device, now.shared) ||
           (!check.threads.empty() &&
            covered(check.threads[now.thread].acquired, record, wave, Reach::device, now.shared));
  }
  if (record.thread == now.thread) return true;
  if (wave == now.wave && record.time < check.met[wave]) return true;
  if (record.time < (now.shared ? check.horizon.local[wave] : check.horizon.global[wave]))
    return true;
  if (check.threads.empty()) return false;
  const ThreadSync& sync = check.threads[now.thread];
  Reach distance = wave == now.wave ? Reach::wave : Reach::block;
  return record.time < sync.horizon[wave] ||
         covered(check.acquired, record, wave, distance, now.shared) ||
         covered(sync.acquired, record, wave, distance, now.shared);
}

}  // namespace hipaudit

// The checks that a checked build makes, by name.
HIPAUDIT_EXPORT const char* hipaudit_checkers() {
  return "bounds,lifetime,initialisation,races,barriers,undefined-behaviour";
}
