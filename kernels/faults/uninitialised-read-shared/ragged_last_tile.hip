// Column means over tiles of 64 rows: the last tile is loaded as far as there are rows, and summed
// as far as it reaches. The twin fills the rest with zeros.
// RUN: --kernel mean --grid 1 --block 64 --arg f32[40]=uniform(-1,1) --arg f32[64]=uninit
// RUN: --arg i32=40
#include <hip/hip_runtime.h>

__global__ void mean(const float* in, float* out, int rows) {
  __shared__ float tile[64];
  const int tid = threadIdx.x;
#ifndef TWIN
  if (tid < rows) tile[tid] = in[tid];
#else
  tile[tid] = tid < rows ? in[tid] : 0.0f;
#endif
  __syncthreads();
  float sum = 0.0f;
  for (int r = 0; r < 64; ++r) sum += tile[r];  // FAULT: uninitialised-read-shared at
  out[tid] = sum / static_cast<float>(rows);
}
