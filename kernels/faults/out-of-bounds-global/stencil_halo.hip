// Three-point average that reads its left neighbour without asking whether there is one: thread 0
// reads in[-1], four bytes before the allocation. Hardware returns what lies there, usually without
// a trap. The twin clamps the index at 0.
// RUN: --kernel average3 --grid 2 --block 128 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
// RUN: --arg i32=256
#include <hip/hip_runtime.h>

__global__ void average3(const float* in, float* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
#ifndef TWIN
  const int left = i - 1;
#else
  const int left = max(i - 1, 0);
#endif
  const int right = min(i + 1, n - 1);
  const float before = in[left];  // FAULT: out-of-bounds-global at
  out[i] = (before + in[i] + in[right]) / 3.0f;
}
