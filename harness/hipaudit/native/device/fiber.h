// Fibers: one a kernel thread, each on a stack of its own, switched by hand.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hipaudit/context.h"

namespace hipaudit {

struct Wave;

enum class Wait : uint8_t { none, barrier, wave, grid };

struct alignas(64) Fiber {
  void* stack_pointer = nullptr;  // where the fiber left off
  Fiber* next = nullptr;          // ring of the block's started fibers
  ThreadIndex index = {};
  Wave* wave = nullptr;  // whose lane it is
  Wait wait = Wait::none;
  bool started = false;
  bool finished = false;
  int stack = -1;  // index in the worker's pool
  uintptr_t stack_floor = 0;
  uint32_t barrier_epoch = 0;
  Fiber* previous = nullptr;
  const char* site = nullptr;  // the last call to wait, for anything, that it entered
  uint64_t seen_progress = 0;  // the worker's progress when this fiber last gave way
};

// Saves the caller's registers on its stack, stores the stack pointer in *from and goes on at `to`.
// The jump at its end is indirect and not a return: a return here is always mispredicted.
extern "C" void hipaudit_switch(void** from, void* to);

// Lays out a fresh stack so that switching to it calls entry(argument).
void* prepare_stack(void* top, void (*entry)(void*), void* argument);

// Stacks for a worker's fibers, each with a guard page below it, made when first needed.
class StackPool {
 public:
  ~StackPool();
  // At most so many stacks of at least `bytes` from now on; drops the old ones if they are smaller
  // or more. False: no memory.
  bool require(size_t bytes, int most);
  // True when so many more can be taken.
  bool has(int count) const { return made_ - free_count_ + count <= most_; }
  // Index of a free stack, or -1 when no more can be mapped.
  int take();
  void give(int index) { free_[free_count_++] = index; }
  void reset();
  void* top(int index) const;
  // The stack in whose guard page the address lies, or -1.
  int guard_hit(uintptr_t address) const;
  // The lowest address of that stack, above its guard page.
  uintptr_t floor(int index) const {
    return reinterpret_cast<uintptr_t>(base_) + static_cast<size_t>(index) * stride_ + kPage;
  }
  size_t bytes() const { return stride_ - kPage; }

 private:
  static constexpr int kMost = 1 << 16;
  static constexpr size_t kPage = 4096;
  void unmap();
  bool renew(size_t stride);
  char* base_ = nullptr;
  size_t stride_ = 0;
  int made_ = 0;
  int most_ = 0;
  int free_count_ = 0;
  int* free_ = nullptr;
};

}  // namespace hipaudit
