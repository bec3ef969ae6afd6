// Block sum by shuffles: each wave leaves its part in one of 64 slots, and the first wave then sums
// all slots its lanes see, not only those of waves that exist. The twin reads a slot only where
// there is a wave. (A block of 128 has 2 waves of 64 or 4 of 32.)
// RUN: --kernel block_sum --grid 1 --block 128 --arg f32[128]=uniform(-1,1) --arg f32[1]=uninit
#include <hip/hip_runtime.h>

__device__ float wave_sum(float v) {
  for (int distance = warpSize / 2; distance > 0; distance /= 2) v += __shfl_down(v, distance);
  return v;
}

__global__ void block_sum(const float* in, float* out) {
  __shared__ float partial[64];
  const int lane = threadIdx.x % warpSize;
  const int wave = threadIdx.x / warpSize;
  const float part = wave_sum(in[threadIdx.x]);
  if (lane == 0) partial[wave] = part;
  __syncthreads();
  if (wave == 0) {
#ifndef TWIN
    const bool exists = true;
#else
    const bool exists = lane < static_cast<int>(blockDim.x) / warpSize;
#endif
    float value = 0.0f;
    if (exists) value = partial[lane];  // FAULT: uninitialised-read-shared at
    value = wave_sum(value);
    if (lane == 0) out[0] = value;
  }
}
