// Shared memory cleared four floats at a time, one vector too many for a length that is no multiple
// of four. The twin clears what is there.
// RUN: --kernel clear --grid 1 --block 32 --arg f32[30]=uniform(-1,1) --arg f32[30]=uninit
#include <hip/hip_runtime.h>

__global__ void clear(const float* in, float* out) {
  __shared__ __align__(16) float row[30];
  const int tid = threadIdx.x;
#ifndef TWIN
  auto* const vectors = reinterpret_cast<float4*>(row);
  if (tid < 8) vectors[tid] = float4{};  // FAULT: out-of-bounds-shared at
#else
  if (tid < 30) row[tid] = 0.0f;
#endif
  __syncthreads();
  if (tid < 30) atomicAdd(&row[29 - tid], in[tid]);
  __syncthreads();
  if (tid < 30) out[tid] = row[tid];
}
