// Scaling of a matrix that is stored without padding, addressed with the pitch of a padded one:
// from row 13 of 16 on, the store lies behind the buffer; the rows before it land in the wrong
// place. The twin addresses with the width.
// RUN: --kernel scale --grid 16 --block 32 --arg f32[512]=uniform(-1,1) --arg f32[512]=zeros
// RUN: --arg i32=32 --arg i32=40
#include <hip/hip_runtime.h>

__global__ void scale(const float* in, float* out, int width, int pitch) {
  const int row = blockIdx.x;
  const int column = threadIdx.x;
  if (column >= width) return;
#ifndef TWIN
  const int to = row * pitch + column;
#else
  const int to = row * width + column;
#endif
  out[to] = 2.0f * in[row * width + column];  // FAULT: out-of-bounds-global at
}
