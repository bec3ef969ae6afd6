// A doubling scan between two halves of dynamic shared memory, launched with bytes for one half:
// the second half lies behind what the launch asked for. On hardware it works until another block
// shares the compute unit. The twin needs one half only, at the price of a second barrier.
// RUN: --kernel scan --grid 1 --block 128 --shared 512 --arg f32[128]=uniform(0,1)
// RUN: --arg f32[128]=uninit
#include <hip/hip_runtime.h>

extern __shared__ float scratch[];

__global__ void scan(const float* in, float* out) {
  const int tid = threadIdx.x;
  const int n = blockDim.x;
  int from = 0;
  scratch[tid] = in[tid];
  __syncthreads();
  for (int distance = 1; distance < n; distance *= 2) {
#ifndef TWIN
    const int to = n - from;
#else
    const int to = from;
#endif
    float sum = scratch[from + tid];                             // FAULT: out-of-bounds-shared at
    if (tid >= distance) sum += scratch[from + tid - distance];  // FAULT: out-of-bounds-shared at
#ifdef TWIN
    __syncthreads();
#endif
    scratch[to + tid] = sum;  // FAULT: out-of-bounds-shared at
    __syncthreads();
    from = to;
  }
  out[tid] = scratch[from + tid];  // FAULT: out-of-bounds-shared at
}
