// Relaxation until nothing changes: the vote is a barrier that every thread reaches equally often,
// and it also separates the reads of a round from the writes of the round.
// RUN: --kernel flood --grid 1 --block 128 --arg i32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void flood(int* out) {
  __shared__ int level[128];
  const int tid = threadIdx.x;
  level[tid] = tid == 0 ? 100 : 0;
  __syncthreads();
  for (;;) {
    const int wanted = tid > 0 ? level[tid - 1] - 1 : level[0];
    const bool rises = wanted > level[tid];
    if (!__syncthreads_or(rises)) break;
    if (rises) level[tid] = wanted;
    __syncthreads();
  }
  out[tid] = level[tid];
}
