// __syncthreads_or is a barrier too: called only by the threads that have an element, it misses
// lanes. The twin calls it with all, and a false predicate where there is no element.
// RUN: --kernel any_large --grid 1 --block 128 --arg f32[100]=uniform(-1,1) --arg i32[128]=zeros
// RUN: --arg i32=100
#include <hip/hip_runtime.h>

__global__ void any_large(const float* in, int* out, int n) {
  const int tid = threadIdx.x;
  int any = 0;
#ifndef TWIN
  if (tid < n) {
    any = __syncthreads_or(in[tid] > 0.9f);  // FAULT: barrier-divergence at
  }
#else
  any = __syncthreads_or(tid < n && in[min(tid, n - 1)] > 0.9f);
#endif
  out[tid] = any;
}
