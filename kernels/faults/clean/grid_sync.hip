// Two phases of a cooperative launch with grid.sync() between: every block reads what its neighbour
// wrote.
// RUN: --kernel two_phases --grid 4 --block 64 --arg f32[256]=uniform(-1,1)
// RUN: --arg f32[256]=uninit --arg f32[256]=uninit
#include <hip/hip_cooperative_groups.h>
#include <hip/hip_runtime.h>

__global__ void two_phases(const float* in, float* middle, float* out) {
  const int n = gridDim.x * blockDim.x;
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  middle[i] = in[i] * in[i];
  cooperative_groups::this_grid().sync();
  out[i] = middle[(i + blockDim.x) % n] - in[i];
}
