// The rendezvous of a wave's lanes has its release fence, and what a lane reads behind it may be
// older all the same: the acquire fence is missing. The twin has both.
// RUN: --kernel rotate --grid 1 --block 32 --arg i32[32]=iota --arg i32[32]=uninit
// SEVERITY: warning
#include <hip/hip_runtime.h>

__global__ void rotate(const int* in, int* out) {
  __shared__ int slots[32];
  const int lane = static_cast<int>(threadIdx.x);
  slots[lane] = in[lane];  // FAULT: race-wave write
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
  __builtin_amdgcn_wave_barrier();
#ifdef TWIN
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
#endif
  out[lane] = slots[lane ^ 5];  // FAULT: race-wave other
}
