// Each block normalises its tile by the tile's first element; tiles are a block long and placed a
// block less one apart, so the last element of each is written by two blocks, with different
// values. The twin places them a block apart.
// RUN: --kernel normalise --grid 4 --block 64 --arg f32[256]=uniform(1,2) --arg f32[256]=zeros
#include <hip/hip_runtime.h>

__global__ void normalise(const float* in, float* out) {
#ifndef TWIN
  const int step = blockDim.x - 1;
#else
  const int step = blockDim.x;
#endif
  const int first = blockIdx.x * step;
  const int i = first + threadIdx.x;
  out[i] = in[i] / in[first];  // FAULT: race-grid write other
}
