// Bitonic sort whose long strides go through shared memory: the keys of the next stride are stored
// while others still fetch those of this one. The twin has a barrier behind the fetch.
// RUN: --kernel sort --grid 1 --block 256 --arg i32[256]=iota --arg i32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void sort(const int* in, int* out) {
  __shared__ int keys[256];
  const int tid = threadIdx.x;
  int key = in[tid] * 73 % 257;
  for (int size = 2; size <= 256; size *= 2) {
    for (int stride = size / 2; stride > 0; stride /= 2) {
      int other;
      if (stride < 32) {
        other = __shfl_xor(key, stride);
      } else {
        keys[tid] = key;  // FAULT: race-shared write  // ALSO: race-wave write
        __syncthreads();
        other = keys[tid ^ stride];  // FAULT: race-shared other  // ALSO: race-wave other
#ifdef TWIN
        __syncthreads();
#endif
      }
      const bool up = (tid & size) == 0;
      const bool low = (tid & stride) == 0;
      key = (low == up) == (key < other) ? key : other;
    }
  }
  out[tid] = key;
}
