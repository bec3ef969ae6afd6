// Matrix product split along K: the two blocks of each output tile add their halves to C with a
// plain +=. The twin adds atomically.
// RUN: --kernel matmul --grid 2,2,2 --block 16,16 --arg f32[1024]=uniform(-1,1)
// RUN: --arg f32[1024]=uniform(-1,1) --arg f32[1024]=zeros --arg i32=32
#include <hip/hip_runtime.h>

__global__ void matmul(const float* a, const float* b, float* c, int n) {
  const int row = blockIdx.y * blockDim.y + threadIdx.y;
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int part = n / gridDim.z;
  const int first = blockIdx.z * part;
  float sum = 0.0f;
  for (int k = first; k < first + part; ++k) sum += a[row * n + k] * b[k * n + column];
#ifndef TWIN
  c[row * n + column] += sum;  // FAULT: race-grid write other
#else
  atomicAdd(&c[row * n + column], sum);
#endif
}
