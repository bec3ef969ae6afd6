// Bitonic sort of 256 keys in registers: strides inside a wave go by shuffles, at either width, and
// longer ones through shared memory between two barriers.
// RUN: --kernel sort --grid 1 --block 256 --arg i32[256]=iota --arg i32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void sort(const int* in, int* out) {
  __shared__ int keys[256];
  const int tid = threadIdx.x;
  int key = in[tid] * 73 % 257;
  for (int size = 2; size <= 256; size *= 2) {
    for (int stride = size / 2; stride > 0; stride /= 2) {
      int other;
      if (stride < warpSize) {
        other = __shfl_xor(key, stride);
      } else {
        keys[tid] = key;
        __syncthreads();
        other = keys[tid ^ stride];
        __syncthreads();
      }
      const bool up = (tid & size) == 0;
      const bool low = (tid & stride) == 0;
      key = (low == up) == (key < other) ? key : other;
    }
  }
  out[tid] = key;
}
