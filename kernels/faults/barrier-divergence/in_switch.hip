// Each wave takes a case of its own, and one of the cases has a barrier that the others lack. The
// twin has it behind the switch.
// RUN: --kernel roles --grid 1 --block 128 --arg f32[128]=uniform(-1,1) --arg f32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void roles(const float* in, float* out) {
  __shared__ float slots[128];
  const int tid = threadIdx.x;
  slots[tid] = in[tid];
  float value = 0.0f;
  switch (tid / 64) {
    case 0:
#ifndef TWIN
      __syncthreads();  // FAULT: barrier-divergence at other
#endif
      value = 1.0f;
      break;
    default:
      value = 2.0f;
      break;
  }
  __syncthreads();                      // FAULT: barrier-divergence at other
  out[tid] = value * slots[127 - tid];  // ALSO: race-shared other
}
