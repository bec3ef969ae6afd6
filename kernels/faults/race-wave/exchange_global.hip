// The same through global memory: each lane stores to a scratch buffer and loads its neighbour's
// element at once. The twin has __syncwarp.
// RUN: --kernel swap_pairs --grid 2 --block 32 --arg f32[64]=uniform(-1,1) --arg f32[64]=uninit
// RUN: --arg f32[64]=uninit
// SEVERITY: warning
#include <hip/hip_runtime.h>

__global__ void swap_pairs(const float* in, float* scratch, float* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  scratch[i] = 2.0f * in[i];  // FAULT: race-wave write
#ifdef TWIN
  __syncwarp();
#endif
  out[i] = scratch[i ^ 1];  // FAULT: race-wave other
}
