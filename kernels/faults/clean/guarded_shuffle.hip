// All lanes shuffle, also those whose element does not exist: they bring the identity. Lanes that
// read a value which is not theirs to use throw it away.
// RUN: --kernel scan --grid 1 --block 64 --arg i32[50]=iota --arg i32[50]=uninit --arg i32=50
#include <hip/hip_runtime.h>

__global__ void scan(const int* in, int* out, int n) {
  const int i = threadIdx.x;
  const int lane = i % 32;
  int sum = i < n ? in[i] : 0;
  for (int distance = 1; distance < 32; distance *= 2) {
    const int left = __shfl_up(sum, distance, 32);
    if (lane >= distance) sum += left;
  }
  if (i < n) out[i] = sum;
}
