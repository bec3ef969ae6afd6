// What a running kernel thread knows of itself, at a fixed displacement from the worker's thread
// pointer.
//
// Shared by the kernels (through the built-in variables) and by the device library. Kernels read it
// with plain %fs-relative loads: the loader resolves the symbol hipaudit_context to the
// displacement.
#pragma once

#include "hipaudit/check_window.h"

namespace hipaudit {

struct alignas(16) ThreadIndex {
  unsigned x, y, z;
  unsigned flat;  // x fastest, then y, then z
};

struct alignas(64) Context {
  ThreadIndex thread;
  ThreadIndex block;
  ThreadIndex block_dim;  // flat: threads in the block
  ThreadIndex grid_dim;   // flat: blocks in the grid, saturated at 2^32-1
  unsigned wave_size;
  unsigned dynamic_shared_bytes;
  void* worker;
  unsigned long long stack;  // the lowest address of the thread's stack
  unsigned long long stack_bytes;
  CheckWindow check;  // of checked builds

  bool on_stack(unsigned long long address) const { return address - stack < stack_bytes; }
};

}  // namespace hipaudit
