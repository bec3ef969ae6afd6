// Block sum by shuffles: lane 0 of each wave leaves its part in shared memory, and wave 0 sums the
// parts without waiting for the other waves. The twin has the barrier.
// RUN: --kernel block_sum --grid 2 --block 256 --arg f32[512]=uniform(-1,1) --arg f32[2]=uninit
#include <hip/hip_runtime.h>

__device__ float wave_sum(float v) {
  for (int distance = warpSize / 2; distance > 0; distance /= 2) v += __shfl_down(v, distance);
  return v;
}

__global__ void block_sum(const float* in, float* out) {
  __shared__ float partial[64];
  const int lane = threadIdx.x % warpSize;
  const int wave = threadIdx.x / warpSize;
  const int waves = blockDim.x / warpSize;
  const float part = wave_sum(in[blockIdx.x * blockDim.x + threadIdx.x]);
  if (lane == 0) {
    partial[wave] = part;  // FAULT: race-shared write
  }
#ifdef TWIN
  __syncthreads();
#endif
  if (wave == 0) {
    float value = 0.0f;
    if (lane < waves) {
      value = partial[lane];  // FAULT: race-shared other
    }
    value = wave_sum(value);
    if (lane == 0) out[blockIdx.x] = value;
  }
}
