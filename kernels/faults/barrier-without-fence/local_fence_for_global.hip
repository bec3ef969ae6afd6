// A barrier that fences shared memory only, between a store to global memory and the neighbour's
// load of it. The twin's barrier fences global memory.
// RUN: --kernel reverse --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
// RUN: --arg f32[256]=uninit
#include <hip/hip_runtime.h>

#ifndef TWIN
constexpr __cl_mem_fence_flags kFence = __CLK_LOCAL_MEM_FENCE;
#else
constexpr __cl_mem_fence_flags kFence = __CLK_GLOBAL_MEM_FENCE;
#endif

__global__ void reverse(const float* in, float* scratch, float* out) {
  const int tid = threadIdx.x;
  scratch[tid] = 2.0f * in[tid];  // FAULT: barrier-without-fence write
  __work_group_barrier(kFence);
  out[tid] = scratch[blockDim.x - 1 - tid];  // FAULT: barrier-without-fence other
}
