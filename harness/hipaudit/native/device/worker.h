// Workers: threads of ours that run blocks, each with its own shared memory at a fixed displacement
// from its thread pointer, so that kernels reach it as thread-local storage of the local-exec
// model.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "block.h"
#include "launch.h"

namespace hipaudit {

constexpr int kMostWorkers = 32;  // each may hold thousands of mappings for stacks

// The context lies this far below the thread pointer, shared memory right behind the context.
constexpr size_t kContextDisplacement = size_t{8} << 20;
constexpr size_t kSharedOffset = 4096;  // of shared memory, from the context
constexpr size_t kSharedSpan = size_t{4} << 20;

struct Worker {
  static constexpr double kPatience = 1;  // far longer than a busy system lets a thread rest
  static constexpr double kGenerosity = 0.01;

  int number = 0;
  pthread_t thread = {};
  const Context* context = nullptr;
  std::atomic<bool> running{false};       // inside a launch
  std::atomic<uint64_t> progress{0};      // barriers, wave operations and threads completed
  std::atomic<uint64_t> finished{0};      // threads completed
  std::atomic<bool> tick_pending{false};  // real-time signals queue: never more than one on its way
  Launch* launch = nullptr;
  Block* block = nullptr;
  Fiber* current = nullptr;
  void* check = nullptr;      // what an observer keeps of the worker
  void* scheduler = nullptr;  // stack pointer of the worker's own loop
  uint32_t idle = 0;          // fibers visited since one of them could go on; 0 in kernel code
  StackPool stacks;
  std::deque<Block*> set_aside;
  Block* lender = nullptr;  // gave its turn to one other block, and is next
  std::vector<std::unique_ptr<Block>> pool;
  std::atomic<uint64_t> fruitless{0};   // turns of blocks in which nothing went on
  std::atomic<uintptr_t> waits_at{0};   // the place of an access that waits for another worker's
  double patience = kPatience;          // how long it does, in seconds; in vain, and it is halved
  double generosity = kGenerosity;      // how long it lends a turn, likewise
  void* left = nullptr;                 // where an abandoned fiber's stack pointer goes
  alignas(16) char leaving_stack[256];  // the few words a fault handler's way out needs

  void step() {
    progress.store(progress.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
};

inline Context& context() {
  return *reinterpret_cast<Context*>(static_cast<char*>(__builtin_thread_pointer()) -
                                     kContextDisplacement);
}
inline Worker* current_worker() { return static_cast<Worker*>(context().worker); }
inline char* shared_memory() { return reinterpret_cast<char*>(&context()) + kSharedOffset; }

// True for addresses round shared memory in which a worker has nothing else that kernels know of:
// wrong indices of __shared__ arrays lead there.
inline bool near_shared(uintptr_t address) {
  constexpr uintptr_t kReach = kSharedSpan + kContextDisplacement / 4;
  return address - (reinterpret_cast<uintptr_t>(shared_memory()) - kReach) < 2 * kReach;
}

// The worker that the calling thread is; nullptr: it is another thread.
Worker* own_worker();
// True on a worker that is inside a launch: the caller may use context().
bool on_worker();

// Lets another fiber of the block run; returns when the caller is resumed. The caller must be
// `current`.
void advance(Worker* worker, Fiber* self);
// Sets the running block aside in favour of others; returns when it is resumed.
void set_block_aside(Worker* worker, Fiber* self);
// Lets others run because the caller, which waits for something in memory, cannot go on by itself:
// the block's other fibers first, and when nothing happened since the last time, other blocks.
void give_way(Worker* worker, Fiber* self);
// Lets another block have one turn, and other workers' blocks go on until they wait for something.
void lend_turn(Worker* worker, Fiber* self);
// Runs the block until it has finished or is set aside. True: it has finished.
bool run_block(Worker* worker, Block* block);
// Leaves the launch from within a fiber; never returns.
[[noreturn]] void abandon(Worker* worker);

// Where another worker runs the block: waits until that one has made another checked access, so
// that the one it announced at the address is done.
void let_block_step(Worker* self, uint32_t block, uintptr_t address);

// Bookkeeping of a barrier, in barrier.cpp.
void release_barrier(Worker* worker, Block* block);
void thread_left(Worker* worker, Block* block, Fiber* fiber);
// Completes the wave's operations that can be completed, in wave.cpp; called when one of its lanes
// stopped or finished.
void resolve_wave(Worker* worker, Block* block, Wave& wave);
// Lets another lane of the caller's wave run if one can, else another fiber of the block.
void advance_in_wave(Worker* worker, Fiber* self);
// No fiber of the block can go on: a deadlock, unless the grid can help. Returns when resumed.
void stuck(Worker* worker, Fiber* self);

// Puts our handlers in place where others stand, and remembers those for faults that are not ours.
void install_signals();
// Signal handlers for a thread that becomes a worker.
void prepare_worker_signals();
// Asks a worker to look up from kernel code: to let others run, or to leave a stopped launch.
void tick(Worker* worker);

}  // namespace hipaudit
