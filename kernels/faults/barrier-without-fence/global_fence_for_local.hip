// The opposite: a barrier that fences global memory only, between a store to shared memory and the
// neighbour's load of it. The twin's barrier fences shared memory.
// RUN: --kernel reverse --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

#ifndef TWIN
constexpr __cl_mem_fence_flags kFence = __CLK_GLOBAL_MEM_FENCE;
#else
constexpr __cl_mem_fence_flags kFence = __CLK_LOCAL_MEM_FENCE;
#endif

__global__ void reverse(const float* in, float* out) {
  __shared__ float slots[256];
  const int tid = threadIdx.x;
  slots[tid] = in[tid];  // FAULT: barrier-without-fence write
  __work_group_barrier(kFence);
  out[tid] = slots[255 - tid];  // FAULT: barrier-without-fence other
}
