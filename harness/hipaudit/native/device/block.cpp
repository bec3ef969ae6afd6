#include "block.h"

#include "worker.h"

namespace hipaudit {
namespace {

void link_before(Fiber* place, Fiber* fiber) {
  fiber->next = place;
  fiber->previous = place->previous;
  place->previous->next = fiber;
  place->previous = fiber;
}

void unlink(Fiber* fiber) {
  fiber->previous->next = fiber->next;
  fiber->next->previous = fiber->previous;
}

void become(Worker* worker, Fiber* fiber) {
  worker->current = fiber;
  context().thread = fiber->index;
  context().stack = fiber->stack_floor;
}

// The next thread of the block that has not started, ready but for its stack; nullptr: none is
// left.
Fiber* begin_thread(Worker* worker, Block* block) {
  if (block->next_start == block->size) return nullptr;
  const ThreadIndex& index = worker->launch->threads[static_cast<size_t>(block->next_start++)];
  Fiber* fiber = &block->fibers[index.flat];
  fiber->index = index;
  fiber->wave = &block->waves[index.flat >> worker->launch->wave_shift];
  fiber->started = true;
  ++block->in_ring;
  return fiber;
}

// Runs threads of the block one after another on one stack, as long as there are new ones: a kernel
// in which nobody waits never needs a second stack.
void fiber_main(void* argument) {
  auto* worker = static_cast<Worker*>(argument);
  for (;;) {
    worker->launch->kernel->thunk(worker->launch->arguments);
    Block* block = worker->block;
    Fiber* self = worker->current;
    Fiber* next = self->next;
    thread_left(worker, block, self);
    if (Fiber* fresh = begin_thread(worker, block)) {
      fresh->stack = self->stack;
      fresh->stack_floor = self->stack_floor;
      link_before(self, fresh);
      unlink(self);
      become(worker, fresh);
      continue;
    }
    unlink(self);
    worker->stacks.give(self->stack);
    if (block->live == 0) {
      hipaudit_switch(&worker->left, worker->scheduler);
    } else {
      become(worker, next);
      hipaudit_switch(&worker->left, next->stack_pointer);
    }
  }
}

void start_on_own_stack(Worker* worker, Fiber* fiber) {
  fiber->stack = worker->stacks.take();
  if (fiber->stack < 0) {
    worker->launch->note_shortage();
    abandon(worker);
  }
  fiber->stack_floor = worker->stacks.floor(fiber->stack);
  fiber->stack_pointer = prepare_stack(worker->stacks.top(fiber->stack), fiber_main, worker);
}

}  // namespace

void Block::begin(Launch* owner, uint64_t flat) {
  launch = owner;
  index.flat = static_cast<unsigned>(flat);
  index.x = static_cast<unsigned>(flat % owner->grid_dim.x);
  index.y = static_cast<unsigned>(flat / owner->grid_dim.x % owner->grid_dim.y);
  index.z = static_cast<unsigned>(flat / owner->grid_dim.x / owner->grid_dim.y);
  size = live = static_cast<int>(owner->block_dim.flat);
  arrived = in_ring = next_start = grid_arrived = 0;
  epoch = 0;
  grid_epoch = owner->grid_epoch.load();
  gathered_count = gathered_nonzero = result_count = result_nonzero = 0;
  resume = nullptr;
  fibers.resize(static_cast<size_t>(size));
  for (Fiber& fiber : fibers) {
    fiber.started = fiber.finished = false;
    fiber.wait = Wait::none;
    fiber.seen_progress = ~uint64_t{0};
  }
  waves.resize((static_cast<size_t>(size) + owner->wave_size - 1) / owner->wave_size);
  for (size_t i = 0; i < waves.size(); ++i) {
    Wave& wave = waves[i];
    size_t rest = static_cast<size_t>(size) - i * owner->wave_size;
    wave.lanes = &fibers[i * owner->wave_size];
    wave.count = wave.live =
        static_cast<uint32_t>(rest < owner->wave_size ? rest : owner->wave_size);
    wave.at_barrier = wave.in_call = wave.epoch = 0;
    wave.masked = false;
    wave.undefined[0] = wave.undefined[1] = 0;
    wave.present[0] = wave.present[1] = wave.set[0] = wave.set[1] = 0;
  }
}

void advance_in_wave(Worker* worker, Fiber* self) {
  const Wave& wave = *self->wave;
  Fiber* next = self + 1 == wave.lanes + wave.count ? wave.lanes : self + 1;
  bool usable = next->started && !next->finished && next->wait != Wait::barrier &&
                next->wait != Wait::grid && worker->idle <= wave.count;
  if (!usable || worker->launch->stop.load(std::memory_order_relaxed)) {
    advance(worker, self);
    return;
  }
  become(worker, next);
  hipaudit_switch(&self->stack_pointer, next->stack_pointer);
}

void advance(Worker* worker, Fiber* self) {
  if (worker->launch->stop.load(std::memory_order_relaxed)) abandon(worker);
  Fiber* next = self->next;
  if (worker->block->next_start < worker->block->size) {
    next = begin_thread(worker, worker->block);
    start_on_own_stack(worker, next);
    link_before(self->next, next);
  }
  if (next == self) return;
  become(worker, next);
  hipaudit_switch(&self->stack_pointer, next->stack_pointer);
}

void set_block_aside(Worker* worker, Fiber* self) {
  worker->block->resume = self;
  hipaudit_switch(&self->stack_pointer, worker->scheduler);
  if (worker->launch->stop.load(std::memory_order_relaxed)) abandon(worker);
}

void abandon(Worker* worker) {
  if (const Fiber* self = worker->current)
    worker->launch->note_timeout(reinterpret_cast<uintptr_t>(self->site) - 1, self->index,
                                 worker->block->index);
  hipaudit_switch(&worker->left, worker->scheduler);
  __builtin_unreachable();
}

bool run_block(Worker* worker, Block* block) {
  worker->block = block;
  worker->idle = 0;
  Fiber* fiber = block->resume;
  if (fiber == nullptr) {
    fiber = begin_thread(worker, block);
    start_on_own_stack(worker, fiber);
    fiber->next = fiber->previous = fiber;
  }
  block->resume = nullptr;
  become(worker, fiber);
  hipaudit_switch(&worker->scheduler, fiber->stack_pointer);
  worker->current = nullptr;
  return block->live == 0;
}

}  // namespace hipaudit
