// Waves take chunks of work from a counter: one lane draws, a shuffle tells the others, and the
// wave leaves when nothing is left, each wave at its own time.
// RUN: --kernel square --grid 2 --block 128 --arg f32[1000]=uniform(-1,1) --arg f32[1000]=uninit
// RUN: --arg i32[1]=zeros --arg i32=1000
#include <hip/hip_runtime.h>

__global__ void square(const float* in, float* out, int* next, int n) {
  const int lane = threadIdx.x % warpSize;
  for (;;) {
    int first = 0;
    if (lane == 0) first = atomicAdd(next, warpSize);
    first = __shfl(first, 0);
    if (first >= n) break;
    if (first + lane < n) out[first + lane] = in[first + lane] * in[first + lane];
  }
}
