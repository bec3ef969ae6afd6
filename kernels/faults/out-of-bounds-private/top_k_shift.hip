// Top-4 of a row by insertion: the loop that makes room starts one place too low and moves best[3]
// to best[4]. The twin starts at the last place.
// RUN: --kernel top4 --grid 1 --block 64 --arg f32[2048]=uniform(-1,1) --arg f32[256]=uninit
// RUN: --arg i32=32
#include <hip/hip_runtime.h>

#include <cmath>

constexpr int kTop = 4;

__device__ void insert(float (&best)[kTop], float value) {
  int place = 0;
  while (place < kTop && best[place] >= value) ++place;
  if (place == kTop) return;
#ifndef TWIN
  const int last = kTop;
#else
  const int last = kTop - 1;
#endif
  for (int i = last; i > place; --i) {
    best[i] = best[i - 1];  // FAULT: out-of-bounds-private at
  }
  best[place] = value;
}

__global__ void top4(const float* in, float* out, int columns) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  float best[kTop];
  for (float& value : best) value = -INFINITY;
  for (int i = 0; i < columns; ++i) insert(best, in[row * columns + i]);
  for (int i = 0; i < kTop; ++i) out[row * kTop + i] = best[i];
}
