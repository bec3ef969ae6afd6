// Half values, one for each thread, but numbered modulo 128: threads 0 and 128 write the same two
// bytes. That the other half of the word belongs to a neighbour is no fault: races are counted in
// bytes. The twin numbers all 256.
// RUN: --kernel halves --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void halves(const float* in, float* out) {
  __shared__ __half values[kBlock];
  const int tid = threadIdx.x;
#ifndef TWIN
  const int slot = tid % 128;
  if (tid < 128) values[tid + 128] = __float2half(0.0f);
#else
  const int slot = tid;
#endif
  values[slot] = __float2half(in[tid]);  // FAULT: race-shared write other
  __syncthreads();
  out[tid] = __half2float(values[kBlock - 1 - tid]);
}
