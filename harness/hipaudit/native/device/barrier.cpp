// Barriers of a block and of the grid, as the kernels call them.
#include <cstdio>

#include "kernel_abi.h"
#include "worker.h"

namespace hipaudit {
namespace {

const char* describe(Wait wait) {
  switch (wait) {
    case Wait::barrier:
      return "at a barrier of the block";
    case Wait::wave:
      return "in a wave operation";
    case Wait::grid:
      return "at a barrier of the grid";
    default:
      return "";
  }
}

uintptr_t waiting_place(const Fiber& fiber) { return reinterpret_cast<uintptr_t>(fiber.site) - 1; }

// No thread of the block can go on, and none outside it will change that.
[[noreturn]] void report_deadlock(Worker* worker, Block* block, Fiber* self) {
  Launch& launch = *worker->launch;
  if (launch.claim_fault()) {
    Fault& fault = launch.fault;
    fault.ending = Ending::deadlock;
    fault.block = block->index;
    fault.thread = self->index;
    fault.pc = waiting_place(*self);
    int other_wait = 0;
    for (const Fiber& fiber : block->fibers) {
      if (!fiber.started || fiber.finished || fiber.wait == Wait::none) continue;
      if (waiting_place(fiber) == fault.pc) continue;
      ++other_wait;
      if (fault.other_pc != 0) continue;
      fault.other_pc = waiting_place(fiber);
      fault.other_thread = fiber.index;
    }
    snprintf(fault.message, sizeof fault.message,
             "deadlock: %d of %d threads have not finished and none can go on: %d wait here %s, "
             "%d elsewhere",
             block->live, block->size, block->live - other_wait, describe(self->wait), other_wait);
  }
  abandon(worker);
}

bool waits_for_grid(const Block* block) {
  for (const Fiber& fiber : block->fibers)
    if (fiber.started && !fiber.finished && fiber.wait == Wait::grid) return true;
  return false;
}

}  // namespace

void stuck(Worker* worker, Fiber* self) {
  Launch& launch = *worker->launch;
  bool all_at_grid =
      waits_for_grid(worker->block) && worker->block->grid_arrived == worker->block->live;
  uint64_t finished = launch.finished_blocks.load();
  bool short_of_blocks = false;
  if (all_at_grid && finished > 0) {
    Locked lock(launch.grid_mutex);
    short_of_blocks = launch.grid_arrived > 0 && launch.grid_arrived + finished == launch.blocks;
  }
  if (!all_at_grid || short_of_blocks) report_deadlock(worker, worker->block, self);
  set_block_aside(worker, self);
  worker->idle = 0;
}

// Runs others until `done` says that the fiber may go on.
template <typename Done>
static inline void wait_until(Worker* worker, Fiber* self, Done done) {
  worker->idle = 0;  // getting here was progress
  advance(worker, self);
  while (!done()) {
    Block* block = worker->block;
    if (++worker->idle > 2 * static_cast<uint32_t>(block->in_ring) + 2)
      stuck(worker, self);
    else
      advance(worker, self);
  }
  worker->idle = 0;
}

void release_barrier(Worker* worker, Block* block) {
  if (Observer* observer = worker->launch->observer)
    observer->barrier_completes(*worker, *block, block->barrier_kind);
  block->arrived = 0;
  block->result_count = block->gathered_count;
  block->result_nonzero = block->gathered_nonzero;
  block->gathered_count = block->gathered_nonzero = 0;
  for (Wave& wave : block->waves) wave.at_barrier = 0;
  ++block->epoch;
  worker->step();
}

void thread_left(Worker* worker, Block* block, Fiber* fiber) {
  if (Observer* observer = worker->launch->observer) observer->thread_ends(*worker, *block, *fiber);
  fiber->finished = true;
  --block->live;
  --block->in_ring;
  worker->idle = 0;
  worker->step();
  worker->finished.store(worker->finished.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
  Wave& wave = *fiber->wave;
  --wave.live;
  if (wave.in_call > 0) resolve_wave(worker, block, wave);
  if (block->arrived > 0 && block->arrived == block->live) release_barrier(worker, block);
}

namespace {

void arrive_at_barrier(bool predicate, int kind, const char* site) {
  Worker* worker = current_worker();
  Block* block = worker->block;
  Fiber* self = worker->current;
  self->site = site;
  block->barrier_kind = block->arrived == 0 ? kind : block->barrier_kind & kind;
  block->gathered_count += 1;
  block->gathered_nonzero += predicate ? 1 : 0;
  if (++block->arrived == block->live) {
    release_barrier(worker, block);
    return;
  }
  self->wait = Wait::barrier;
  self->barrier_epoch = block->epoch;
  Wave& wave = *self->wave;
  ++wave.at_barrier;
  if (wave.in_call > 0) resolve_wave(worker, block, wave);
  wait_until(worker, self, [=] { return block->epoch != self->barrier_epoch; });
  self->wait = Wait::none;
}

}  // namespace

void give_way(Worker* worker, Fiber* self) {
  worker->idle = 0;  // a thread that asks to wait is not stuck
  uint64_t progress = worker->progress.load(std::memory_order_relaxed);
  Block* block = worker->block;
  bool alone = self->next == self && block->next_start == block->size;
  if (alone || self->seen_progress == progress) set_block_aside(worker, self);
  // Threads that do not wait may be behind this one: it must not be the only one to be resumed.
  self->seen_progress = progress;
  if (!alone) advance(worker, self);
}

// The last live thread of a block to arrive counts the block in; the last block releases the grid.
static void arrive_at_grid(Worker* worker, Block* block, Fiber* self) {
  Launch& launch = *worker->launch;
  if (block->grid_epoch != launch.grid_epoch.load()) {
    block->grid_epoch = launch.grid_epoch.load();
    block->grid_arrived = 0;
  }
  if (++block->grid_arrived != block->live) return;
  Locked lock(launch.grid_mutex);
  if (++launch.grid_arrived < launch.blocks) return;
  launch.grid_arrived = 0;
  if (launch.observer != nullptr) launch.observer->grid_barrier_completes(launch);
  launch.grid_epoch.fetch_add(1);
  worker->step();
  self->wait = Wait::none;
}

}  // namespace hipaudit

using namespace hipaudit;

void hipaudit_syncthreads() {
  arrive_at_barrier(false, kBarrierFull, static_cast<const char*>(__builtin_return_address(0)));
}

int hipaudit_syncthreads_count(int predicate) {
  arrive_at_barrier(predicate != 0, kBarrierFull | kBarrierVote,
                    static_cast<const char*>(__builtin_return_address(0)));
  return current_worker()->block->result_nonzero;
}

int hipaudit_syncthreads_and(int predicate) {
  arrive_at_barrier(predicate != 0, kBarrierFull | kBarrierVote,
                    static_cast<const char*>(__builtin_return_address(0)));
  const Block* block = current_worker()->block;
  return block->result_nonzero == block->result_count;
}

int hipaudit_syncthreads_or(int predicate) {
  arrive_at_barrier(predicate != 0, kBarrierFull | kBarrierVote,
                    static_cast<const char*>(__builtin_return_address(0)));
  return current_worker()->block->result_nonzero != 0;
}

// Which memory a barrier orders matters to the checkers only: here threads run one at a time.
void hipaudit_barrier(int kind) {
  arrive_at_barrier(false, kind, static_cast<const char*>(__builtin_return_address(0)));
}

void hipaudit_fence(int order, int scope) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  Worker* worker = current_worker();
  if (Observer* observer = worker->launch->observer) observer->fence(*worker, order, scope);
}

void hipaudit_grid_sync() {
  Worker* worker = current_worker();
  Fiber* self = worker->current;
  Block* block = worker->block;
  uint32_t epoch = worker->launch->grid_epoch.load();
  self->wait = Wait::grid;
  self->site = static_cast<const char*>(__builtin_return_address(0));
  arrive_at_grid(worker, block, self);
  if (worker->launch->grid_epoch.load() == epoch)
    wait_until(worker, self, [=] { return worker->launch->grid_epoch.load() != epoch; });
  self->wait = Wait::none;
  if (Observer* observer = worker->launch->observer) observer->block_passes_grid(*worker, *block);
}

void hipaudit_yield() {
  Worker* worker = current_worker();
  worker->current->site = static_cast<const char*>(__builtin_return_address(0));
  give_way(worker, worker->current);
}
