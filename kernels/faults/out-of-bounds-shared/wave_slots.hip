// Block sum with one shared slot for each wave, counted for waves of 64: at width 32 a block of 256
// has eight waves and four slots. The same binary logic is right on gfx942 and overwrites LDS on
// gfx1100. The twin sizes the array for the narrowest wave.
// RUN: --kernel block_sum --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg f32[1]=uninit
// WIDTHS: 32
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;
#ifndef TWIN
constexpr int kSlots = kBlock / 64;
#else
constexpr int kSlots = kBlock / 32;
#endif

__global__ void block_sum(const float* in, float* out) {
  __shared__ float partial[kSlots];
  const int wave = threadIdx.x / warpSize;
  float sum = in[threadIdx.x];
  for (int distance = warpSize / 2; distance > 0; distance /= 2) sum += __shfl_down(sum, distance);
  if (threadIdx.x % warpSize == 0) {
    partial[wave] = sum;  // FAULT: out-of-bounds-shared at
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    float total = 0.0f;
    for (int w = 0; w < kBlock / warpSize; ++w) {
      total += partial[w];  // FAULT: out-of-bounds-shared at
    }
    out[0] = total;
  }
}
