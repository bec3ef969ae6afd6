// Waves of one block count in shared memory with atomics of wavefront scope. The twin's scope is
// the block.
// RUN: --kernel count --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg u32[1]=uninit
#include <hip/hip_runtime.h>

#ifndef TWIN
constexpr int kScope = __HIP_MEMORY_SCOPE_WAVEFRONT;
#else
constexpr int kScope = __HIP_MEMORY_SCOPE_WORKGROUP;
#endif
constexpr int kOrder = __ATOMIC_RELAXED;

__global__ void count(const float* in, unsigned* out) {
  __shared__ unsigned total;
  if (threadIdx.x == 0) total = 0;
  __syncthreads();
  const unsigned one = in[threadIdx.x] < 0.0f;
  __hip_atomic_fetch_add(&total, one, kOrder, kScope);  // FAULT: race-atomic-scope write other
  __syncthreads();
  if (threadIdx.x == 0) out[0] = total;
}
