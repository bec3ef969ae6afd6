// A table in shared memory, loaded once and read after each of many grid.sync(): however often the
// grid has met, what was loaded before is past.
// RUN: --kernel smoothed --grid 512 --block 8 --arg f32[8]=uniform(-1,1)
// RUN: --arg f32[4096]=uniform(-1,1) --arg f32[4096]=uninit --arg i32=130
#include <hip/hip_cooperative_groups.h>
#include <hip/hip_runtime.h>

__global__ void smoothed(const float* weights, float* front, float* back, int rounds) {
  __shared__ float table[8];
  const int n = gridDim.x * blockDim.x;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  table[threadIdx.x] = weights[threadIdx.x];
  cooperative_groups::this_grid().sync();
  for (int round = 0; round < rounds; ++round) {
    back[i] = 0.5f * front[(i + blockDim.x) % n] + table[(threadIdx.x + round) % 8];
    cooperative_groups::this_grid().sync();
    float* const other = front;
    front = back;
    back = other;
  }
}
