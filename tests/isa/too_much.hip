// 80 KiB of LDS: what a gfx950 has and the other parts have not.

#include <hip/hip_runtime.h>

extern "C" __global__ void too_much(float* x) {
  __shared__ float tile[20 * 1024];
  tile[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  x[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}
