// Grid-wide synchronisation that blocks without work skip by returning early: those that wait at
// grid.sync() wait for ever. The twin takes every block through it.
// RUN: --kernel two_phases --grid 4 --block 64 --arg f32[192]=uniform(-1,1)
// RUN: --arg f32[192]=uninit --arg f32[192]=zeros --arg i32=192
// TIMEOUT: 1
#include <hip/hip_cooperative_groups.h>
#include <hip/hip_runtime.h>

__global__ void two_phases(const float* in, float* middle, float* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
#ifndef TWIN
  if (i >= n) return;
  middle[i] = in[i] * in[i];
#else
  if (i < n) middle[i] = in[i] * in[i];
#endif
  cooperative_groups::this_grid().sync();  // FAULT: deadlock at
  if (i < n) out[i] = middle[n - 1 - i];
}
