// Wave 1 spins until a flag is set, and then comes to the barrier; wave 0 sets it only behind that
// barrier. The two wait for each other. The twin sets it before.
// RUN: --kernel hand_over --grid 1 --block 128 --arg f32[1]=ones --arg i32[1]=zeros
// RUN: --arg f32[128]=zeros
// TIMEOUT: 1
#include <hip/hip_runtime.h>

__global__ void hand_over(const float* in, int* flag, float* out) {
  __shared__ float value;
  const int tid = threadIdx.x;
#ifdef TWIN
  if (tid == 0) __hip_atomic_store(flag, 1, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_WORKGROUP);
#endif
  if (tid == 64) {
    while (atomicAdd(flag, 0) == 0)  // FAULT: deadlock|timeout at other
      __builtin_amdgcn_s_sleep(1);   // FAULT: deadlock|timeout at other
    value = 2.0f * in[0];
  }
  __syncthreads();  // FAULT: deadlock|timeout at other
#ifndef TWIN
  if (tid == 0) __hip_atomic_store(flag, 1, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_WORKGROUP);
#endif
  out[tid] = value;
}
