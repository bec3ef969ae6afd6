// Histogram with a copy of the bins in shared memory, vector loads with a ragged tail, and one
// atomic a bin at the end.
// RUN: --kernel histogram --grid 3 --block 64 --arg u8[1003]=iota --arg u32[16]=zeros
// RUN: --arg i32=1003
#include <hip/hip_runtime.h>

__global__ void histogram(const unsigned char* in, unsigned* bins, int n) {
  __shared__ unsigned own[16];
  if (threadIdx.x < 16) own[threadIdx.x] = 0;
  __syncthreads();
  const int first = blockIdx.x * blockDim.x + threadIdx.x;
  const int step = gridDim.x * blockDim.x;
  const auto* const words = reinterpret_cast<const uchar4*>(in);
  for (int i = first; i < n / 4; i += step) {
    const uchar4 four = words[i];
    atomicAdd(&own[four.x % 16], 1u);
    atomicAdd(&own[four.y % 16], 1u);
    atomicAdd(&own[four.z % 16], 1u);
    atomicAdd(&own[four.w % 16], 1u);
  }
  if (first < n % 4) atomicAdd(&own[in[n / 4 * 4 + first] % 16], 1u);
  __syncthreads();
  if (threadIdx.x < 16) atomicAdd(&bins[threadIdx.x], own[threadIdx.x]);
}
