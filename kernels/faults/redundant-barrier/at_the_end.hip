// A barrier as the kernel's last statement: blocks end when their threads do, and nothing follows
// that it could order. The twin does without.
// RUN: --kernel reverse --grid 2 --block 128 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
// SEVERITY: info
#include <hip/hip_runtime.h>

__global__ void reverse(const float* in, float* out) {
  __shared__ float slots[128];
  const int tid = threadIdx.x;
  const int first = blockIdx.x * 128;
  slots[tid] = in[first + tid];
  __syncthreads();
  out[first + tid] = slots[127 - tid];
#ifndef TWIN
  __syncthreads();  // FAULT: redundant-barrier at
#endif
}
