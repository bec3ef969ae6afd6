// The barrier's parts written out: release fence, s_barrier, acquire fence. It is what
// __syncthreads is made of.
// RUN: --kernel reverse --grid 2 --block 128 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

__device__ void block_barrier() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}

__global__ void reverse(const float* in, float* out) {
  __shared__ float slots[128];
  const int tid = threadIdx.x;
  slots[tid] = in[blockIdx.x * 128 + tid];
  block_barrier();
  out[blockIdx.x * 128 + tid] = slots[127 - tid];
}
