// Tiles in two buffers, of which the next is stored while the current one is used: here both name
// the same buffer, and a fast wave overwrites what a slow one still sums. The twin stores into the
// other one, behind its own use.
// RUN: --kernel column_sums --grid 1 --block 128 --arg f32[1024]=uniform(-1,1)
// RUN: --arg f32[128]=uninit
// RUN: --arg i32=8
#include <hip/hip_runtime.h>

constexpr int kBlock = 128;

__global__ void column_sums(const float* in, float* out, int tiles) {
  __shared__ float tile[2][kBlock];
  const int tid = threadIdx.x;
  tile[0][tid] = in[tid];
  __syncthreads();
  float sum = 0.0f;
  for (int k = 0; k < tiles; ++k) {
    const float next = k + 1 < tiles ? in[(k + 1) * kBlock + tid] : 0.0f;
#ifndef TWIN
    tile[k % 2][tid] = next;                  // FAULT: race-shared write
    sum += tile[k % 2][(tid + 37) % kBlock];  // FAULT: race-shared other
    __syncthreads();
#else
    sum += tile[k % 2][(tid + 37) % kBlock];
    tile[(k + 1) % 2][tid] = next;
    __syncthreads();
#endif
  }
  out[tid] = sum;
}
