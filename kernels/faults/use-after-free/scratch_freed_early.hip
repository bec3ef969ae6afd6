// A block's scratch on the device heap is freed before the block's last read of it. The heap may
// hand the bytes to another block at once, so the values read are another block's. The barrier
// orders the free before the read: no schedule saves it. The twin reads first.
// RUN: --kernel reverse --grid 2 --block 64 --arg f32[128]=uniform(-1,1) --arg f32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void reverse(const float* in, float* out) {
  __shared__ float* scratch;
  const int tid = threadIdx.x;
  const int n = blockDim.x;
  const int first = blockIdx.x * n;
  if (tid == 0) scratch = static_cast<float*>(malloc(n * sizeof(float)));
  __syncthreads();
  float* const mine = scratch;
  mine[tid] = in[first + tid];
  __syncthreads();
#ifndef TWIN
  if (tid == 0) free(mine);
  __syncthreads();
#endif
  const float value = mine[n - 1 - tid];  // FAULT: use-after-free at
  out[first + tid] = value;
#ifdef TWIN
  __syncthreads();
  if (tid == 0) free(mine);
#endif
}
