// One atomic for each wave: the lanes that have something count themselves by a ballot, the first
// of them adds for all and hands the base out by a shuffle among the same lanes.
// RUN: --kernel append --grid 2 --block 128 --arg i32[256]=iota --arg i32[128]=uninit
// RUN: --arg i32[1]=zeros
#include <hip/hip_runtime.h>

__global__ void append(const int* in, int* out, int* count) {
  const int value = in[blockIdx.x * blockDim.x + threadIdx.x];
  const int lane = threadIdx.x % warpSize;
  if (value % 2 == 0) {
    const unsigned long long active = __ballot(1);
    const int first = __ffsll(active) - 1;
    const int below = __popcll(active & ((1ull << lane) - 1));
    int base = 0;
    if (lane == first) base = atomicAdd(count, __popcll(active));
    base = __shfl(base, first);
    out[base + below] = value;
  }
}
