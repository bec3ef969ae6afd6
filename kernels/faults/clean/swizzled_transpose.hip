// Transpose of a tile of 16 by 16 through shared memory with columns swizzled by the row, so that
// no two lanes meet in a bank.
// RUN: --kernel transpose --grid 2,2 --block 16,16 --arg f32[1024]=iota --arg f32[1024]=uninit
// RUN: --arg i32=32
#include <hip/hip_runtime.h>

__global__ void transpose(const float* in, float* out, int n) {
  __shared__ float tile[16 * 16];
  const int x = threadIdx.x;
  const int y = threadIdx.y;
  tile[y * 16 + (x ^ y)] = in[(blockIdx.y * 16 + y) * n + blockIdx.x * 16 + x];
  __syncthreads();
  out[(blockIdx.x * 16 + y) * n + blockIdx.y * 16 + x] = tile[x * 16 + (y ^ x)];
}
