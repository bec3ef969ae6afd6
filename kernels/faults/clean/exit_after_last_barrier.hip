// Most threads return behind the last barrier, and the few that stay shuffle and read on: nobody
// waits for those that have gone.
// RUN: --kernel column_max --grid 2 --block 256 --arg f32[512]=uniform(-1,1) --arg f32[2]=uninit
#include <hip/hip_runtime.h>

__global__ void column_max(const float* in, float* out) {
  __shared__ float slots[256];
  const int tid = threadIdx.x;
  slots[tid] = in[blockIdx.x * 256 + tid];
  __syncthreads();
  if (tid >= 16) return;
  float high = slots[tid];
  for (int i = tid + 16; i < 256; i += 16) high = fmaxf(high, slots[i]);
  for (int distance = 8; distance > 0; distance /= 2) {
    high = fmaxf(high, __shfl_xor(high, distance, 16));
  }
  if (tid == 0) out[blockIdx.x] = high;
}
