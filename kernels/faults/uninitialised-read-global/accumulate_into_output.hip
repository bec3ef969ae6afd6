// Bias added into an output that nobody cleared: hipMalloc does not zero, so the first += reads
// what an earlier program left there (often zeros in a fresh process, which is why it passes
// tests). The twin stores.
// RUN: --kernel add_bias --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg f32=0.5
// RUN: --arg f32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void add_bias(const float* in, float bias, float* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifndef TWIN
  out[i] += in[i] + bias;  // FAULT: uninitialised-read-global at
#else
  out[i] = in[i] + bias;
#endif
}
