// Softmax of a row by one block: the row's maximum is left in shared memory by the first wave and
// read by all without a barrier. The twin has it.
// RUN: --kernel softmax --grid 2 --block 128 --arg f32[256]=uniform(-4,4) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void softmax(const float* in, float* out) {
  __shared__ float partial[4];
  __shared__ float sums[4];
  __shared__ float row_max;
  const int tid = threadIdx.x;
  const float x = in[blockIdx.x * 128 + tid];
  float top = x;
  for (int d = warpSize / 2; d > 0; d /= 2) top = fmaxf(top, __shfl_xor(top, d));
  if (tid % warpSize == 0) partial[tid / warpSize] = top;
  __syncthreads();
  if (tid == 0) {
    for (int w = 1; w < 128 / warpSize; ++w) top = fmaxf(top, partial[w]);
    row_max = top;  // FAULT: race-shared write
  }
#ifdef TWIN
  __syncthreads();
#endif
  const float e = expf(x - row_max);  // FAULT: race-shared other  // ALSO: race-wave other
  float sum = e;
  for (int d = warpSize / 2; d > 0; d /= 2) sum += __shfl_xor(sum, d);
  if (tid % warpSize == 0) sums[tid / warpSize] = sum;
  __syncthreads();
  float all = 0.0f;
  for (int w = 0; w < 128 / warpSize; ++w) all += sums[w];
  out[blockIdx.x * 128 + tid] = e / all;
}
