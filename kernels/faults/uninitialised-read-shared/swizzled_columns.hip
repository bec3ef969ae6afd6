// Transpose through shared memory with columns swizzled against bank conflicts: stored with the
// row's bits, read with the column's, so that elements are taken where nothing was put. The twin
// swizzles both alike. A tile of 16 by 12 in rows of 16.
// RUN: --kernel transpose --grid 1 --block 16,12 --arg f32[192]=iota --arg f32[192]=uninit
#include <hip/hip_runtime.h>

__global__ void transpose(const float* in, float* out) {
  __shared__ float tile[12 * 16];
  __shared__ float spare[16];
  const int column = threadIdx.x;
  const int row = threadIdx.y;
  if (column < 12) tile[row * 16 + (column ^ (row & 3))] = in[row * 16 + column];
  if (row == 0) spare[column] = in[12];
  __syncthreads();
  float value = spare[column];
#ifndef TWIN
  const int mask = 7;
#else
  const int mask = 3;
#endif
  const int from = column * 16 + (row ^ (column & mask));
  if (column < 12) value = tile[from];  // FAULT: uninitialised-read-shared at
  out[row * 16 + column] = value;
}
