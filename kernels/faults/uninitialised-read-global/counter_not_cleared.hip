// An atomic counter that nobody sets to zero: the add reads the undefined value and passes it on.
// The twin clears it behind a barrier, which is enough for the one block of this launch.
// RUN: --kernel count_positive --grid 1 --block 256 --arg f32[256]=uniform(-1,1)
// RUN: --arg u32[1]=uninit
#include <hip/hip_runtime.h>

__global__ void count_positive(const float* in, unsigned* count) {
#ifdef TWIN
  if (threadIdx.x == 0) count[0] = 0;
  __syncthreads();
#endif
  if (in[threadIdx.x] > 0.0f) atomicAdd(count, 1u);  // FAULT: uninitialised-read-global at
}
