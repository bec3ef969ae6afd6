// The last-block pattern as CUDA's samples have it: every thread fences its own store, the block
// meets at a barrier, and one thread draws the ticket for all.
// RUN: --kernel total --grid 4 --block 64 --arg i32[256]=iota --arg i32[256]=zeros
// RUN: --arg u32[1]=zeros --arg i32[1]=zeros
#include <hip/hip_runtime.h>

__global__ void total(const int* in, int* squares, unsigned* ticket, int* out) {
  __shared__ bool last;
  __shared__ int sum;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  squares[i] = in[i] * in[i];
  __threadfence();
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  if (threadIdx.x == 0) last = atomicAdd(ticket, 1u) == gridDim.x - 1;
  __syncthreads();
  if (!last) return;
  __threadfence();
  for (unsigned k = threadIdx.x; k < gridDim.x * blockDim.x; k += blockDim.x) {
    atomicAdd(&sum, squares[k]);
  }
  __syncthreads();
  if (threadIdx.x == 0) out[0] = sum;
}
