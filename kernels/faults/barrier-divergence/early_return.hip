// The guard at the head of a kernel returns before a barrier. The last wave of n = 200 has lanes on
// both sides: lanes of a live wave are missing at the barrier. CUDA and HIP leave that undefined.
// The twin keeps every thread and guards the accesses.
// RUN: --kernel reverse --grid 1 --block 256 --arg f32[200]=uniform(-1,1) --arg f32[200]=uninit
// RUN: --arg i32=200
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void reverse(const float* in, float* out, int n) {
  __shared__ float slots[kBlock];
  const int tid = threadIdx.x;
#ifndef TWIN
  if (tid >= n) return;
  slots[tid] = in[tid];
#else
  slots[tid] = tid < n ? in[tid] : 0.0f;
#endif
  __syncthreads();  // FAULT: barrier-divergence at
  if (tid < n) out[tid] = slots[n - 1 - tid];
}
