// A register tile of 4 by 2 products, zeroed with the bounds exchanged, so that the second index
// runs past its end. The twin has them right.
// RUN: --kernel products --grid 1 --block 32 --arg f32[32]=uniform(-1,1) --arg i32=4 --arg i32=2
// RUN: --arg f32[32]=uninit
#include <hip/hip_runtime.h>

__global__ void products(const float* in, int rows, int columns, float* out) {
  float tile[4][2];
#ifndef TWIN
  for (int c = 0; c < rows; ++c) {
    for (int r = 0; r < columns; ++r) tile[r][c] = 0.0f;  // FAULT: out-of-bounds-private at
  }
#else
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) tile[r][c] = 0.0f;
  }
#endif
  float sum = 0.0f;
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      tile[r][c] += in[threadIdx.x] * static_cast<float>(r + c);
      sum += tile[r][c];
    }
  }
  out[threadIdx.x] = sum;
}
