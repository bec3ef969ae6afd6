// Euclidean norm by squaring: values of 1e20 square to infinity, while their norm is an ordinary
// 1e21. The twin divides by the largest first.
// RUN: --kernel norm --grid 1 --block 64 --arg f32[4096]=uniform(1e20,2e20) --arg f32[64]=uninit
// RUN: --arg i32=64
// JUDGE: oracle norm_rows
#include <hip/hip_runtime.h>

__global__ void norm(const float* in, float* out, int columns) {  // FAULT: overflow at
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  const float* x = in + row * columns;
  float scale = 1.0f;
#ifdef TWIN
  for (int i = 0; i < columns; ++i) scale = fmaxf(scale, fabsf(x[i]));
#endif
  float sum = 0.0f;
  for (int i = 0; i < columns; ++i) sum += (x[i] / scale) * (x[i] / scale);
  out[row] = scale * sqrtf(sum);
}
