// Waves that work on parts of shared memory of their own, without any barrier of the block: what a
// wave exchanges it orders by __syncwarp.
// RUN: --kernel reverse_in_waves --grid 1 --block 128 --arg i32[128]=iota --arg i32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void reverse_in_waves(const int* in, int* out) {
  __shared__ int slots[128];
  const int tid = threadIdx.x;
  const int first = tid / warpSize * warpSize;
  const int lane = tid % warpSize;
  slots[tid] = in[tid];
  __syncwarp();
  out[tid] = slots[first + warpSize - 1 - lane];
}
