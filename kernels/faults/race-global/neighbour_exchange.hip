// Two phases of one block over a buffer in global memory with no barrier between: a thread reads
// its right neighbour's value before the neighbour's wave may have written it. compute-sanitizer's
// racecheck does not look at global memory. The twin has the barrier.
// RUN: --kernel difference --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
// RUN: --arg f32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void difference(const float* in, float* squares, float* out) {
  const int i = threadIdx.x;
  squares[i] = in[i] * in[i];  // FAULT: race-global write
#ifdef TWIN
  __syncthreads();
#endif
  out[i] = squares[(i + 1) % blockDim.x] - in[i];  // FAULT: race-global other
}
