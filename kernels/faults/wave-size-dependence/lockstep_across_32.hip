// The first 64 threads exchange values in lockstep without any synchronisation. At width 64 the
// pairs are in one wave; at width 32 each pair is split over two waves and races. What looks like a
// habit on gfx942 is a wrong answer on gfx1100. The twin has a barrier.
// RUN: --kernel swap_halves --grid 2 --block 64 --arg f32[128]=uniform(-1,1) --arg f32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void swap_halves(const float* in, float* out) {
  __shared__ float slots[64];
  const int tid = threadIdx.x;
  const int first = blockIdx.x * 64;
  slots[tid] = in[first + tid];  // FAULT: wave-size-dependence@64 write; race-shared@32 write
#ifdef TWIN
  __syncthreads();
#endif
  out[first + tid] = slots[tid ^ 32];  // FAULT: wave-size-dependence@64 other; race-shared@32 other
}
