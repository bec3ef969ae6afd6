// Split sums added by atomics into a workspace that nobody cleared: an atomic reads what it adds
// to. The twin's first split sums for all and stores.
// RUN: --kernel splits --grid 4 --block 32 --arg f32[128]=uniform(-1,1) --arg f32[32]=uninit
#include <hip/hip_runtime.h>

__global__ void splits(const float* in, float* workspace) {
  const int tid = threadIdx.x;
#ifndef TWIN
  atomicAdd(&workspace[tid], in[blockIdx.x * 32 + tid]);  // FAULT: uninitialised-read-global at
#else
  if (blockIdx.x > 0) return;
  float sum = 0.0f;
  for (int s = 0; s < 4; ++s) sum += in[s * 32 + tid];
  workspace[tid] = sum;
#endif
}
