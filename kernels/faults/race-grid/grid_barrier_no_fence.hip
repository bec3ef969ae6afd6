// Grid barrier made by hand from one atomic counter, without fences: all blocks meet, and what they
// wrote before need not be visible after. The twin fences on both sides. (Both need all blocks
// resident, which four blocks are.)
// RUN: --kernel two_phases --grid 4 --block 1 --arg f32[4]=uniform(-1,1) --arg f32[4]=uninit
// RUN: --arg u32[1]=zeros --arg f32[4]=uninit
#include <hip/hip_runtime.h>

__global__ void two_phases(const float* in, float* middle, unsigned* arrived, float* out) {
  const int b = blockIdx.x;
  const int blocks = gridDim.x;
  middle[b] = in[b] * in[b];  // FAULT: race-grid write
#ifdef TWIN
  __threadfence();
#endif
  atomicAdd(arrived, 1u);
  while (atomicAdd(arrived, 0u) < static_cast<unsigned>(blocks)) {
  }
#ifdef TWIN
  __threadfence();
#endif
  out[b] = middle[(b + 1) % blocks] - in[b];  // FAULT: race-grid other
}
