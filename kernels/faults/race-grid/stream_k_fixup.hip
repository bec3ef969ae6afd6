// Stream-K fix-up: the second half of a tile's products comes from another block, which leaves its
// partial tile in a workspace and raises a flag. The owner waits for the flag with all its threads
// behind a barrier, but without an acquire. The twin's load acquires.
// RUN: --kernel fix_up --grid 2 --block 64 --arg f32[128]=uniform(-1,1) --arg f32[64]=zeros
// RUN: --arg u32[1]=zeros --arg f32[64]=uninit
#include <hip/hip_runtime.h>

#ifndef TWIN
constexpr int kWait = __ATOMIC_RELAXED;
#else
constexpr int kWait = __ATOMIC_ACQUIRE;
#endif

__global__ void fix_up(const float* in, float* workspace, unsigned* flag, float* out) {
  const int tid = threadIdx.x;
  const float mine = in[blockIdx.x * 64 + tid];
  if (blockIdx.x == 1) {
    workspace[tid] = mine;  // FAULT: race-grid write
    __syncthreads();
    if (tid == 0) __hip_atomic_store(flag, 1u, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
    return;
  }
  if (tid == 0) {
    while (__hip_atomic_load(flag, kWait, __HIP_MEMORY_SCOPE_AGENT) != 1u) {
    }
  }
  __syncthreads();
  out[tid] = mine + workspace[tid];  // FAULT: race-grid other
}
