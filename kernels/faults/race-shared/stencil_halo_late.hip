// Three-point stencil whose edge threads load the halo behind the barrier that is there for it. The
// twin loads it before.
// RUN: --kernel blur --grid 2 --block 128 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
// RUN: --arg i32=256
#include <hip/hip_runtime.h>

constexpr int kBlock = 128;

__global__ void blur(const float* in, float* out, int n) {
  __shared__ float row[kBlock + 2];
  const int tid = threadIdx.x;
  const int i = blockIdx.x * kBlock + tid;
  row[tid + 1] = in[i];
#ifndef TWIN
  __syncthreads();
#endif
  if (tid == 0) row[0] = i > 0 ? in[i - 1] : 0.0f;  // ALSO: race-wave write
  const float right = i + kBlock < n ? in[i + kBlock] : 0.0f;
  if (tid == 0) row[kBlock + 1] = right;  // FAULT: race-shared write
#ifdef TWIN
  __syncthreads();
#endif
  const float sum = row[tid] + row[tid + 1];
  const float next = row[tid + 2];  // FAULT: race-shared other  // ALSO: race-wave other
  out[i] = (sum + next) / 3.0f;
}
