// A barrier between storing to a slot and reading the same slot back: no thread reads what another
// wrote, so it orders nothing. The twin does without.
// RUN: --kernel square --grid 1 --block 128 --arg f32[128]=uniform(-1,1) --arg f32[128]=uninit
// SEVERITY: info
#include <hip/hip_runtime.h>

__global__ void square(const float* in, float* out) {
  __shared__ float slots[128];
  const int tid = threadIdx.x;
  slots[tid] = in[tid];
#ifndef TWIN
  __syncthreads();  // FAULT: redundant-barrier at
#endif
  out[tid] = slots[tid] * slots[tid];
}
