// The two largest of each row by one wave: a butterfly merges sorted pairs of (value, index), ties
// to the lower index, in a structure that is shuffled member by member.
// RUN: --kernel top2 --grid 4 --block 64 --arg f32[400]=uniform(-1,1) --arg i32[8]=uninit
// RUN: --arg i32=100
#include <hip/hip_runtime.h>

struct Best {
  float value;
  int index;
};

__device__ bool before(Best a, Best b) {
  return a.value > b.value || (a.value == b.value && a.index < b.index);
}

__global__ void top2(const float* in, int* out, int columns) {
  const int lane = threadIdx.x;
  if (lane >= warpSize) return;
  Best first{-3.0f, columns + lane};
  Best second{-4.0f, columns + lane};
  for (int c = lane; c < columns; c += warpSize) {
    const Best one{in[blockIdx.x * columns + c], c};
    if (before(one, first)) {
      second = first;
      first = one;
    } else if (before(one, second)) {
      second = one;
    }
  }
  for (int d = warpSize / 2; d > 0; d /= 2) {
    const Best a{__shfl_xor(first.value, d), __shfl_xor(first.index, d)};
    const Best b{__shfl_xor(second.value, d), __shfl_xor(second.index, d)};
    if (before(a, first)) {
      second = before(first, b) ? first : b;
      first = a;
    } else if (before(a, second)) {
      second = a;
    }
  }
  if (lane == 0) out[2 * blockIdx.x] = first.index;
  if (lane == 1) out[2 * blockIdx.x + 1] = second.index;
}
