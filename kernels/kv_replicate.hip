// Keys or values copied for each query head of their group, for kernels that know no groups.
//
// Formula   y[o][h * groups + g] = x[o][h]
// Layout    x: outer x heads x span elements of 16 or 32 bits, y: outer x heads * groups x span;
//           contiguous, not overlapping.
// Grid      four elements a thread, one-dimensional. Block: at most 256 threads.
// Limits    count, the elements of y, up to 2^33; span and groups >= 1.

#include <hip/hip_runtime.h>

constexpr int kEach = 4;

template <class Bits>
__device__ void replicate(const Bits* x, Bits* y, size_t count, size_t span, int groups) {
  const size_t first = (static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x) * kEach;
  for (size_t i = first; i < min(first + kEach, count); ++i) {
    y[i] = x[i / span / groups * span + i % span];
  }
}

extern "C" __global__ __launch_bounds__(256) void kv_replicate_16(const unsigned short* x,
                                                                  unsigned short* y, size_t count,
                                                                  size_t span, int groups) {
  replicate(x, y, count, span, groups);
}

extern "C" __global__ __launch_bounds__(256) void kv_replicate_32(const unsigned int* x,
                                                                  unsigned int* y, size_t count,
                                                                  size_t span, int groups) {
  replicate(x, y, count, span, groups);
}
