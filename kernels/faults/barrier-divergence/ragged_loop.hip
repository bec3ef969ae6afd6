// A barrier in a loop over the elements of a thread, for a length that is no multiple of the block:
// in the last round some lanes have left the loop. The twin runs all threads through all rounds and
// guards the body.
// RUN: --kernel shift --grid 1 --block 128 --arg f32[200]=uniform(-1,1) --arg f32[200]=uninit
// RUN: --arg i32=200
#include <hip/hip_runtime.h>

constexpr int kBlock = 128;

__global__ void shift(const float* in, float* out, int n) {
  __shared__ float slots[2][kBlock];
  const int tid = threadIdx.x;
#ifndef TWIN
  const int end = n;
#else
  const int end = (n + kBlock - 1) / kBlock * kBlock;
#endif
  int round = 0;
  for (int i = tid; i < end; i += kBlock) {
    slots[round][tid] = i < n ? in[i] : 0.0f;
    __syncthreads();  // FAULT: barrier-divergence at
    const int last = min(kBlock, n - round * kBlock) - 1;
    if (i < n) out[i] = slots[round][last - tid];
    round ^= 1;
  }
}
