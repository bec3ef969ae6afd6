// __builtin_amdgcn_wave_barrier between a store and the neighbour's load: it stops the compiler
// from moving instructions across and is no fence, so the store need not have reached LDS. The
// twin's __syncwarp has the fences.
// RUN: --kernel rotate --grid 1 --block 32 --arg f32[32]=uniform(-1,1) --arg f32[32]=uninit
// SEVERITY: warning
#include <hip/hip_runtime.h>

__global__ void rotate(const float* in, float* out) {
  __shared__ float slots[32];
  const int lane = threadIdx.x;
  slots[lane] = in[lane];  // FAULT: race-wave write
#ifndef TWIN
  __builtin_amdgcn_wave_barrier();
#else
  __syncwarp();
#endif
  out[lane] = slots[(lane + 1) % 32];  // FAULT: race-wave other
}
