// A shared table that only a debugging path uses: it takes 4 KiB of LDS in every launch, and with
// it occupancy. The twin keeps the debugging path and does without the table.
// RUN: --kernel scale --grid 1 --block 64 --arg f32[64]=uniform(-1,1) --arg f32[64]=uninit
// RUN: --arg i32=0
// SEVERITY: info|warning
#include <hip/hip_runtime.h>

__global__ void scale(const float* in, float* out, int debug) {
#ifndef TWIN
  __shared__ float trace[1024];  // FAULT: unused-shared at
#endif
  const int tid = threadIdx.x;
  float value = 2.0f * in[tid];
  if (debug != 0) {
#ifndef TWIN
    trace[tid] = value;
    __syncthreads();
    value += trace[63 - tid];
#else
    value += in[63 - tid];
#endif
  }
  out[tid] = value;
}
