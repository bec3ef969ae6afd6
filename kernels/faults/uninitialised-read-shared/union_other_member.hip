// A union in shared memory, written as 4 floats and read as 16: the rest was never set. The twin
// clears all of it.
// RUN: --kernel mix --grid 1 --block 16 --arg f32[16]=uniform(-1,1) --arg f32[16]=uninit
#include <hip/hip_runtime.h>

union Scratch {
  float4 first;
  float all[16];
};

__global__ void mix(const float* in, float* out) {
  __shared__ Scratch scratch;
#ifdef TWIN
  scratch.all[threadIdx.x] = 0.0f;
  __syncthreads();
#endif
  if (threadIdx.x == 0) scratch.first = reinterpret_cast<const float4*>(in)[0];
  __syncthreads();
  out[threadIdx.x] = scratch.all[15 - threadIdx.x];  // FAULT: uninitialised-read-shared at
}
