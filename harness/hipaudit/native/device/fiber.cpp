#include "fiber.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

namespace hipaudit {

// Callee-saved registers only: the switch is a call as far as the compiler knows.
asm(R"(
  .text
  .globl hipaudit_switch
  .hidden hipaudit_switch
  .type hipaudit_switch,@function
  .p2align 5
hipaudit_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  popq %rcx
  jmpq *%rcx
  .size hipaudit_switch,.-hipaudit_switch

  .type hipaudit_fiber_start,@function
  .p2align 4
hipaudit_fiber_start:
  movq %r12, %rdi
  callq *%r13
  ud2
  .size hipaudit_fiber_start,.-hipaudit_fiber_start
)");
extern "C" void hipaudit_fiber_start();

void* prepare_stack(void* top, void (*entry)(void*), void* argument) {
  auto* words = reinterpret_cast<uint64_t*>(reinterpret_cast<uintptr_t>(top) & ~uintptr_t{15});
  *--words = 0;  // keeps the stack 16-byte aligned at the call in hipaudit_fiber_start
  *--words = 0;
  *--words = reinterpret_cast<uint64_t>(&hipaudit_fiber_start);
  *--words = 0;                                     // rbp
  *--words = 0;                                     // rbx
  *--words = reinterpret_cast<uint64_t>(argument);  // r12
  *--words = reinterpret_cast<uint64_t>(entry);     // r13
  *--words = 0;                                     // r14
  *--words = 0;                                     // r15
  return words;
}

namespace {
constexpr size_t kSpan = size_t{1} << 32;  // address space reserved for one worker's stacks
}  // namespace

StackPool::~StackPool() {
  unmap();
  free(free_);
}

void StackPool::unmap() {
  if (base_ != nullptr) munmap(base_, kSpan);
  base_ = nullptr;
}

bool StackPool::require(size_t bytes, int most) {
  size_t stride = kPage;                              // the guard
  stride += (bytes + 2 * kPage - 1) / kPage * kPage;  // one page more for the colouring below
  if (base_ == nullptr || stride_ < stride || made_ > most) {
    if (!renew(stride)) return false;
  }
  most_ = std::min({static_cast<int>(kSpan / stride_), kMost, most});
  return true;
}

bool StackPool::renew(size_t stride) {
  unmap();
  void* span = mmap(nullptr, kSpan, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (span == MAP_FAILED) return false;
  if (free_ == nullptr) free_ = static_cast<int*>(malloc(kMost * sizeof(int)));
  base_ = static_cast<char*>(span);
  stride_ = stride;
  made_ = 0;
  free_count_ = 0;
  return free_ != nullptr;
}

int StackPool::take() {
  if (free_count_ > 0) return free_[--free_count_];
  if (made_ == most_) return -1;
  char* slot = base_ + static_cast<size_t>(made_) * stride_;
  if (mprotect(slot + kPage, stride_ - kPage, PROT_READ | PROT_WRITE) != 0) return -1;
  return made_++;
}

// Every stack is free again, the first one on top.
void StackPool::reset() {
  free_count_ = 0;
  for (int i = made_ - 1; i >= 0; --i) free_[free_count_++] = i;
}

// Tops are staggered by three cache lines: at equal offsets in their pages, all stacks of a block
// would compete for the same few sets of the first-level cache.
void* StackPool::top(int index) const {
  size_t colour = static_cast<size_t>(index) * 192 % kPage;
  return base_ + (static_cast<size_t>(index) + 1) * stride_ - colour;
}

int StackPool::guard_hit(uintptr_t address) const {
  uintptr_t base = reinterpret_cast<uintptr_t>(base_);
  if (base_ == nullptr || address < base || address >= base + kSpan) return -1;
  size_t offset = address - base;
  return offset % stride_ < kPage ? static_cast<int>(offset / stride_) : -1;
}

}  // namespace hipaudit
