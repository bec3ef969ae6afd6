// Block 0 clears the total that all blocks then add to: blocks are not ordered, so additions of
// blocks that were faster are wiped out. A plain store beside atomics races. The twin relies on the
// launch, whose argument is cleared before.
// RUN: --kernel total --grid 8 --block 64 --arg i32[512]=iota --arg i32[1]=zeros
#include <hip/hip_runtime.h>

__global__ void total(const int* in, int* out) {
#ifndef TWIN
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    out[0] = 0;  // FAULT: race-grid write  // ALSO: race-global write
  }
#endif
  const int mine = in[blockIdx.x * blockDim.x + threadIdx.x];
  atomicAdd(out, mine);  // FAULT: race-grid other  // ALSO: race-global other
}
