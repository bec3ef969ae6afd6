// Dynamic shared memory carved into an array of halves and one of floats: the floats' offset counts
// the halves and forgets their size, so the two overlap. The twin counts in bytes.
// RUN: --kernel widen --grid 1 --block 128 --shared 768 --arg f32[128]=uniform(-1,1)
// RUN: --arg f32[128]=uninit
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

__global__ void widen(const float* in, float* out) {
  extern __shared__ char memory[];
  __half* const halves = reinterpret_cast<__half*>(memory);
#ifndef TWIN
  float* const floats = reinterpret_cast<float*>(memory + blockDim.x);
#else
  float* const floats = reinterpret_cast<float*>(memory + blockDim.x * sizeof(__half));
#endif
  const int tid = threadIdx.x;
  const __half half = __float2half(in[tid]);
  halves[tid] = half;            // FAULT: race-shared write other  // ALSO: race-wave write other
  floats[tid] = 2.0f * in[tid];  // FAULT: race-shared write other  // ALSO: race-wave write other
  __syncthreads();
  const int from = blockDim.x - 1 - tid;
  out[tid] = __half2float(halves[from]) + floats[from];
}
