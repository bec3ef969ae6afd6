// Scan in shared memory that adds the element `distance` to the left and forgets that the first
// threads have none: they read before the array. The twin adds only where tid >= distance.
// RUN: --kernel scan --grid 1 --block 256 --arg f32[256]=uniform(0,1) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void scan(const float* in, float* out) {
  __shared__ float sums[kBlock];
  const int tid = threadIdx.x;
  sums[tid] = in[tid];
  __syncthreads();
  for (int distance = 1; distance < kBlock; distance *= 2) {
    float left = 0.0f;
#ifdef TWIN
    if (tid >= distance)
#endif
      left = sums[tid - distance];  // FAULT: out-of-bounds-shared at
    __syncthreads();
    sums[tid] += left;
    __syncthreads();
  }
  out[tid] = sums[tid];
}
