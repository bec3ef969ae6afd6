// Compaction within a block: positions come from an atomic counter in global memory, and thread 0
// reads the counter as the total before the others have counted. The twin has a barrier.
// RUN: --kernel compact --grid 1 --block 128 --arg i32[128]=iota --arg i32[1]=zeros
// RUN: --arg i32[128]=zeros --arg i32[1]=uninit
#include <hip/hip_runtime.h>

__global__ void compact(const int* in, int* counter, int* out, int* total) {
  const int value = in[threadIdx.x];
  if (value % 3 == 0) {
    const int place = atomicAdd(counter, 1);  // FAULT: race-global write
    out[place] = value;
  }
#ifdef TWIN
  __syncthreads();
#endif
  if (threadIdx.x == 0)
    total[0] = counter[0];  // FAULT: race-global other  // ALSO: race-wave other
}
