// Shuffles in segments of 8 lanes by one half of each 16, under a branch: every lane reads from an
// active lane of its own segment only.
// RUN: --kernel segment_sums --grid 1 --block 64 --arg i32[64]=iota --arg i32[8]=zeros
#include <hip/hip_runtime.h>

__global__ void segment_sums(const int* in, int* out) {
  const int i = threadIdx.x;
  if (i % 16 < 8) {
    int sum = in[i];
    for (int distance = 4; distance > 0; distance /= 2) sum += __shfl_xor(sum, distance, 8);
    if (i % 8 == 0) out[i / 8] = sum;
  }
}
