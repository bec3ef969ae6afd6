// A release fence, then a bare s_barrier, and no acquire fence behind it: the stores are pushed
// out, and the reading wave may have read ahead. The twin has the acquire fence as well, which
// makes it what __syncthreads is.
// RUN: --kernel reverse --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void reverse(const float* in, float* out) {
  __shared__ float slots[kBlock];
  const int tid = threadIdx.x;
  slots[tid] = in[tid];  // FAULT: barrier-without-fence write
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
#ifdef TWIN
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
#endif
  out[tid] = slots[kBlock - 1 - tid];  // FAULT: barrier-without-fence other
}
