// The softmax denominator of 2048 terms, exp(x - m), by one thread from left to right: the error
// grows with the number of terms, and with equal terms it does not even average out. The twin is
// the form of the quoted kernel: 8 serial terms a thread and a tree of 256, a chain of 16
// additions. -D KAHAN compensates the serial part of either.
// RUN: --kernel denominator --grid 4 --block 256 --arg f32[8192]=zeros --arg f32[4]=uninit
// RUN: --arg i32=2048 --arg f32=2.302585
// JUDGE: oracle exp_sums
// CLAIM: NP-001
#include <hip/hip_runtime.h>

#ifdef TWIN
constexpr int kBlock = 256;
#endif

// exp(x[i] - high) for i = first, first + step, ... summed from left to right.
__device__ float serial(const float* x, int n, int first, int step, float high) {
  float sum = 0.0f;
#ifdef KAHAN
  float lost = 0.0f;
#endif
  for (int i = first; i < n; i += step) {
    const float term = expf(x[i] - high);
#ifdef KAHAN
    const float corrected = term - lost;
    const float next = sum + corrected;
    lost = (next - sum) - corrected;
    sum = next;
#else
    sum += term;
#endif
  }
  return sum;
}

__global__ void denominator(const float* x, float* out, int n,  // FAULT: bound-exceeded at
                            float high) {
  const float* row = x + blockIdx.x * n;
  const int tid = threadIdx.x;
#ifndef TWIN
  if (tid == 0) out[blockIdx.x] = serial(row, n, 0, 1, high);
#else
  __shared__ float partial[kBlock];
  partial[tid] = serial(row, n, tid, kBlock, high);
  __syncthreads();
  for (int stride = kBlock / 2; stride > 0; stride /= 2) {
    if (tid < stride) partial[tid] += partial[tid + stride];
    __syncthreads();
  }
  if (tid == 0) out[blockIdx.x] = partial[0];
#endif
}
