// Dynamic shared memory carved into values and keys, with the offset of the keys counted as if
// values had two bytes: the upper half of the values and the lower half of the keys are the same
// bytes, written by different threads. The launch's size is right, so nothing is out of bounds. The
// twin counts four bytes.
// RUN: --kernel reverse_pairs --grid 1 --block 256 --shared 2048 --arg f32[256]=uniform(-1,1)
// RUN: --arg i32[256]=iota --arg f32[256]=uninit --arg i32[256]=uninit
#include <hip/hip_runtime.h>

extern __shared__ float carved[];

__global__ void reverse_pairs(const float* in_values, const int* in_keys, float* out_values,
                              int* out_keys) {
  const int n = blockDim.x;
  const int tid = threadIdx.x;
#ifndef TWIN
  const int offset = n / 2;
#else
  const int offset = n;
#endif
  float* const values = carved;
  int* const keys = reinterpret_cast<int*>(carved + offset);
  values[tid] = in_values[tid];  // FAULT: race-shared write
  keys[tid] = in_keys[tid];      // FAULT: race-shared other
  __syncthreads();
  out_values[tid] = values[n - 1 - tid];
  out_keys[tid] = keys[n - 1 - tid];
}
