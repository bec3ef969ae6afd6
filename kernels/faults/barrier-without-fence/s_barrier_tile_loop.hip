// Tiled sum with a fenced barrier after loading a tile and a bare s_barrier before it is
// overwritten: the reads of the last tile may sink below the rendezvous. The twin has two fenced
// barriers.
// RUN: --kernel reversed_sums --grid 1 --block 256 --arg f32[768]=uniform(-1,1)
// RUN: --arg f32[256]=uninit --arg i32=3
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void reversed_sums(const float* in, float* out, int tiles) {
  __shared__ float tile[kBlock];
  const int tid = threadIdx.x;
  float sum = 0.0f;
  for (int t = 0; t < tiles; ++t) {
    tile[tid] = in[t * kBlock + tid];  // FAULT: barrier-without-fence write
    __syncthreads();
    sum += tile[kBlock - 1 - tid];  // FAULT: barrier-without-fence other
#ifndef TWIN
    __builtin_amdgcn_s_barrier();
#else
    __syncthreads();
#endif
  }
  out[tid] = sum;
}
