// Kernels whose generated code is worth a finding, each beside its twin that is not.

#include <hip/hip_runtime.h>

// More live values than 1024 threads leave registers for.
template <int kValues>
__device__ void keep_alive(float* x, int n) {
  float values[kValues];
  for (int i = 0; i < kValues; ++i) values[i] = x[i * n + threadIdx.x];
  __syncthreads();
  for (int k = 0; k < n; ++k) {
    for (int i = 0; i < kValues; ++i) values[i] = values[i] * values[(i * 7 + 3) % kValues] + 1.0f;
  }
  for (int i = 0; i < kValues; ++i) x[i * n + threadIdx.x] = values[i];
}

extern "C" __global__ __launch_bounds__(1024) void spilling(float* x, int n) {
  keep_alive<160>(x, n);
}
extern "C" __global__ __launch_bounds__(1024) void not_spilling(float* x, int n) {
  keep_alive<8>(x, n);
}

// An array with an index that only the run knows has no registers.
extern "C" __global__ __launch_bounds__(64) void indexing(float* x, const int* order) {
  float values[40];
  for (int i = 0; i < 40; ++i) values[i] = x[i] * x[i + 1];
  for (int i = 0; i < 40; ++i) values[order[i + threadIdx.x] % 40] += x[i];
  for (int i = 0; i < 40; ++i) x[i] = values[i];
}

// 60 KiB of LDS for one wave.
extern "C" __global__ __launch_bounds__(32) void crowded(float* x) {
  __shared__ float tile[15 * 1024];
  for (int i = threadIdx.x; i < 15 * 1024; i += 32) tile[i] = x[i];
  __syncthreads();
  x[threadIdx.x] = tile[15 * 1024 - 1 - threadIdx.x];
}
extern "C" __global__ __launch_bounds__(32) void roomy(float* x) {
  __shared__ float tile[1024];
  for (int i = threadIdx.x; i < 1024; i += 32) tile[i] = x[i];
  __syncthreads();
  x[threadIdx.x] = tile[1023 - threadIdx.x];
}
