// A block of 40 threads: all lanes shuffle down, also from lanes that the last wave does not have,
// and only those whose source exists use what they got.
// RUN: --kernel total --grid 3 --block 40 --arg i32[120]=iota --arg i32[3]=zeros
#include <hip/hip_runtime.h>

__global__ void total(const int* in, int* out) {
  const int lane = threadIdx.x % warpSize;
  const int rest = static_cast<int>(blockDim.x - threadIdx.x) + lane;
  const int lanes = rest < warpSize ? rest : warpSize;
  int sum = in[blockIdx.x * blockDim.x + threadIdx.x];
  for (int distance = 1; distance < warpSize; distance *= 2) {
    const int other = __shfl_down(sum, distance);
    if (lane % (2 * distance) == 0 && lane + distance < lanes) sum += other;
  }
  if (lane == 0) atomicAdd(&out[blockIdx.x], sum);
}
