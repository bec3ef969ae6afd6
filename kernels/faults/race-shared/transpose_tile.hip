// Transpose through a tile in shared memory without the barrier between writing it by rows and
// reading it by columns. The twin has it.
// RUN: --kernel transpose --grid 2,2 --block 16,16 --arg f32[1024]=uniform(-1,1)
// RUN: --arg f32[1024]=uninit --arg i32=32
#include <hip/hip_runtime.h>

constexpr int kTile = 16;

__global__ void transpose(const float* in, float* out, int n) {
  __shared__ float tile[kTile][kTile + 1];
  const int x = threadIdx.x;
  const int y = threadIdx.y;
  const int row = blockIdx.y * kTile + y;
  const int column = blockIdx.x * kTile + x;
  tile[y][x] = in[row * n + column];  // FAULT: race-shared write
#ifdef TWIN
  __syncthreads();
#endif
  const float value = tile[x][y];  // FAULT: race-shared other
  out[(blockIdx.x * kTile + y) * n + blockIdx.y * kTile + x] = value;
}
