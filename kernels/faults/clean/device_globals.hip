// Constant memory read by all, and a __device__ counter that all blocks raise atomically, handing
// out unique numbers.
// RUN: --kernel number --grid 4 --block 64 --arg i32[256]=uninit
#include <hip/hip_runtime.h>

__constant__ int kWeights[4] = {1, 2, 4, 8};
__device__ unsigned next_number;

__global__ void number(int* out) {
  const unsigned mine = atomicAdd(&next_number, 1u);
  out[blockIdx.x * blockDim.x + threadIdx.x] = kWeights[mine % 4];
}
