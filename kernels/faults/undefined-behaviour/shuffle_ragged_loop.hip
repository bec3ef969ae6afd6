// Butterfly sums inside a loop over a row of 40 elements: in the last round only some lanes are
// left, and they read from lanes that have gone. The twin sums in registers and shuffles once, with
// all lanes.
// RUN: --kernel row_sum --grid 2 --block 64 --arg f32[80]=uniform(-1,1) --arg f32[2]=zeros
// RUN: --arg i32=40
#include <hip/hip_runtime.h>

__device__ float wave_sum(float v) {
  for (int distance = warpSize / 2; distance > 0; distance /= 2) {
    v += __shfl_xor(v, distance);  // FAULT: undefined-behaviour at
  }
  return v;
}

__global__ void row_sum(const float* in, float* out, int columns) {
  const int lane = threadIdx.x % warpSize;
  if (static_cast<int>(threadIdx.x) >= warpSize) return;
  const float* row = in + blockIdx.x * columns;
  float sum = 0.0f;
#ifndef TWIN
  for (int i = lane; i < columns; i += warpSize) sum += wave_sum(row[i]);
#else
  for (int i = lane; i < columns; i += warpSize) sum += row[i];
  sum = wave_sum(sum);
#endif
  if (lane == 0) out[blockIdx.x] = sum;
}
