// A vote between the store and the neighbour's load, taken for a synchronisation: votes and
// shuffles carry values from lane to lane and order no memory. The twin adds __syncwarp.
// RUN: --kernel reverse --grid 1 --block 32 --arg f32[32]=uniform(-1,1) --arg f32[32]=uninit
// SEVERITY: warning
#include <hip/hip_runtime.h>

__global__ void reverse(const float* in, float* out) {
  __shared__ float slots[32];
  const int lane = threadIdx.x;
  slots[lane] = in[lane];  // FAULT: race-wave write
  const bool any_negative = __any(in[lane] < 0.0f);
#ifdef TWIN
  __syncwarp();
#endif
  const float other = slots[31 - lane];  // FAULT: race-wave other
  out[lane] = any_negative ? other : -other;
}
