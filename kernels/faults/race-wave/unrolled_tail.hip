// The classic unrolled end of a reduction: 32 threads of one wave add through volatile shared
// memory and rely on running in lockstep. Same-wave LDS operations do stay in order on AMD; the
// source does not say so, and NVIDIA parts since 2017 break it. A warning, then. The twin orders
// each step with __syncwarp.
// RUN: --kernel block_sum --grid 1 --block 64 --arg f32[64]=uniform(-1,1) --arg f32[1]=uninit
// SEVERITY: warning
#include <hip/hip_runtime.h>

__device__ void step(volatile float* partial, int lane, int distance) {
  const float right = lane < distance ? partial[lane + distance] : 0.0f;  // FAULT: race-wave other
#ifdef TWIN
  __syncwarp();
#endif
  partial[lane] = partial[lane] + right;  // FAULT: race-wave write
#ifdef TWIN
  __syncwarp();
#endif
}

__global__ void block_sum(const float* in, float* out) {
  __shared__ float partial[64];
  const int tid = threadIdx.x;
  partial[tid] = in[tid];
  __syncthreads();
  if (tid < 32) {
    partial[tid] += partial[tid + 32];
    __syncwarp();
    for (int distance = 16; distance > 0; distance /= 2) step(partial, tid, distance);
  }
  if (tid == 0) out[0] = partial[0];
}
