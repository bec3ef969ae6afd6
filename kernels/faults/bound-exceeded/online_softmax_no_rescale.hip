// Softmax in one pass over the row: when a larger maximum comes up, the sum so far must be scaled
// down to it, and is not. Rows whose maximum comes first are right. The twin rescales.
// RUN: --kernel softmax --grid 1 --block 64 --arg f32[4096]=uniform(-4,4) --arg f32[4096]=uninit
// RUN: --arg i32=64
// JUDGE: oracle softmax_rows
#include <hip/hip_runtime.h>

#include <cmath>

__global__ void softmax(const float* in, float* out, int columns) {  // FAULT: bound-exceeded at
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  const float* x = in + row * columns;
  float high = -INFINITY;
  float sum = 0.0f;
  for (int i = 0; i < columns; ++i) {
    const float higher = fmaxf(high, x[i]);
#ifdef TWIN
    sum *= expf(high - higher);
#endif
    sum += expf(x[i] - higher);
    high = higher;
  }
  for (int i = 0; i < columns; ++i) out[row * columns + i] = expf(x[i] - high) / sum;
}
