// A helper fills an array through a pointer and is told one element too many: keys[64] is the first
// element of whatever shared variable lies behind keys. Nothing can trap, since the address is
// valid shared memory. The twin passes the right length.
// RUN: --kernel scaled_keys --grid 1 --block 64 --arg f32[64]=uniform(-1,1) --arg f32[64]=uninit
#include <hip/hip_runtime.h>

constexpr int kKeys = 64;

__device__ void fill(float* array, int length, float value) {
  for (int i = threadIdx.x; i < length; i += blockDim.x) {
    array[i] = value;  // FAULT: out-of-bounds-shared at
  }
}

__global__ void scaled_keys(const float* in, float* out) {
  __shared__ float keys[kKeys];
  __shared__ float scales[kKeys];
  const int tid = threadIdx.x;
  scales[tid] = in[tid];
#ifndef TWIN
  fill(keys, kKeys + 1, 1.0f);
#else
  fill(keys, kKeys, 1.0f);
#endif
  __syncthreads();
  out[tid] = keys[kKeys - 1 - tid] * scales[kKeys - 1 - tid];
}
