// Blocks take tickets from one counter, and every block sets it back once it is done: the store
// wipes out tickets that others have taken meanwhile. In the twin only the last one does, which has
// seen the tickets of all others.
// RUN: --kernel work --grid 4 --block 64 --arg i32[4]=zeros --arg u32[1]=zeros
#include <hip/hip_runtime.h>

__global__ void work(int* done, unsigned* ticket) {
  if (threadIdx.x != 0) return;
  const unsigned mine = atomicAdd(ticket, 1u);  // FAULT: race-grid other
  done[blockIdx.x] = static_cast<int>(mine);
#ifdef TWIN
  if (mine == gridDim.x - 1)
#endif
    *ticket = 0;  // FAULT: race-grid write other
}
