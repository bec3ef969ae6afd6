// A list on the device's heap, made by thread 0 for the block and given back by it while the other
// waves may still read. The twin has a barrier before.
// RUN: --kernel lookup --grid 1 --block 128 --arg i32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void lookup(int* out) {
  __shared__ int* table;
  if (threadIdx.x == 0) {
    table = static_cast<int*>(malloc(128 * sizeof(int)));
    for (int i = 0; i < 128; ++i) table[i] = i * i;
  }
  __syncthreads();
  const int from = 127 - threadIdx.x;
  const int value =
      table[from];  // FAULT: race-global other  // ALSO: race-wave other ; use-after-free at
  out[threadIdx.x] = value;
#ifdef TWIN
  __syncthreads();
#endif
  if (threadIdx.x == 0) free(table);  // FAULT: race-global write  // ALSO: race-wave write
}
