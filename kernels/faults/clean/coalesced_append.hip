// Appending by cooperative groups: those that are active together reserve their places by one
// atomic, after the others have left the kernel.
// RUN: --kernel append --grid 2 --block 128 --arg i32[256]=iota --arg i32[256]=zeros
// RUN: --arg i32[1]=zeros
#include <hip/hip_cooperative_groups.h>
#include <hip/hip_runtime.h>

namespace cg = cooperative_groups;

__global__ void append(const int* in, int* out, int* count) {
  const int value = in[blockIdx.x * blockDim.x + threadIdx.x];
  if (value % 3 != 1) return;
  const auto active = cg::coalesced_threads();
  int base = 0;
  if (active.thread_rank() == 0) base = atomicAdd(count, static_cast<int>(active.num_threads()));
  out[active.shfl(base, 0) + static_cast<int>(active.thread_rank())] = value;
}
