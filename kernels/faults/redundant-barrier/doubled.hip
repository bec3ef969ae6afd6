// Two barriers with no access between them, as when two helpers each bring one of their own: the
// second waits again for threads that have just met. The twin has one.
// RUN: --kernel reverse --grid 1 --block 128 --arg f32[128]=uniform(-1,1) --arg f32[128]=uninit
// SEVERITY: info
#include <hip/hip_runtime.h>

__global__ void reverse(const float* in, float* out) {
  __shared__ float slots[128];
  const int tid = threadIdx.x;
  slots[tid] = in[tid];
  __syncthreads();  // FAULT: redundant-barrier at
#ifndef TWIN
  __syncthreads();  // FAULT: redundant-barrier at
#endif
  out[tid] = slots[127 - tid];
}
