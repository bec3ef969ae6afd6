// Weighted sum of each token's experts' outputs.
//
// Formula   out[t][j] = sum_c weights[t][c] * y[position[t count + c]][j]
// Layout    y: tokens count x n, weights: tokens x count, out: tokens x n, float32, row-major;
//           position: tokens count int32, where moe_permute put each pair.
// Grid      tokens blocks. Block: one-dimensional, at most 256 threads.
// Limits    1 <= n <= 2^30; tokens count < 2^31.
// Rounding  one serial sum over c (fused where the compiler contracts).

#include <hip/hip_runtime.h>

extern "C" __global__ __launch_bounds__(256) void moe_combine(const float* y, const float* weights,
                                                              const int* position, float* out,
                                                              int count, int n) {
  const size_t first = static_cast<size_t>(blockIdx.x) * count;
  float* to = out + static_cast<size_t>(blockIdx.x) * n;
  for (int j = threadIdx.x; j < n; j += blockDim.x) {
    float sum = 0.0f;
    for (int c = 0; c < count; ++c) {
      sum += weights[first + c] * y[static_cast<size_t>(position[first + c]) * n + j];
    }
    to[j] = sum;
  }
}
