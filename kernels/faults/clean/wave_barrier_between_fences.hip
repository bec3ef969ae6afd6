// A wave's lanes exchange values through shared memory across what AMD's libraries write for
// __syncwarp: a release fence, the bare rendezvous, an acquire fence. Twice, the second time back.
// RUN: --kernel rotate --grid 1 --block 128 --arg i32[128]=iota --arg i32[128]=uninit
#include <hip/hip_runtime.h>

__device__ void wave_sync() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
  __builtin_amdgcn_wave_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
}

__global__ void rotate(const int* in, int* out) {
  __shared__ int slots[128];
  const int t = static_cast<int>(threadIdx.x);
  slots[t] = in[t];
  wave_sync();
  const int other = slots[t ^ 5];
  wave_sync();
  slots[t] = other;
  wave_sync();
  out[t] = slots[t ^ 5];
}
