// Softmax without subtracting the maximum: logits above 88.7 overflow exp, and inf / inf is NaN
// where the true value is an ordinary number. The twin subtracts.
// RUN: --kernel softmax --grid 1 --block 64 --arg f32[1024]=uniform(60,120) --arg f32[1024]=uninit
// RUN: --arg i32=16
// JUDGE: oracle softmax_rows
// ALSO: bound-exceeded
#include <hip/hip_runtime.h>

__global__ void softmax(const float* in, float* out, int columns) {  // FAULT: nonfinite-mismatch at
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  const float* x = in + row * columns;
  float high = 0.0f;
#ifdef TWIN
  high = x[0];
  for (int i = 1; i < columns; ++i) high = fmaxf(high, x[i]);
#endif
  float sum = 0.0f;
  for (int i = 0; i < columns; ++i) sum += expf(x[i] - high);
  for (int i = 0; i < columns; ++i) out[row * columns + i] = expf(x[i] - high) / sum;
}
