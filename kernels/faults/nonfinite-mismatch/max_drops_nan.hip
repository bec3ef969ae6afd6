// Maximum of a row by `a > b ? a : b`: a comparison with NaN is false, so a NaN disappears unless
// it comes first, and a broken layer upstream goes unseen. The twin passes NaN on.
// RUN: --kernel max_codes --grid 1 --block 64 --arg u16[65536]=iota --arg f32[64]=uninit
// RUN: --arg i32=1024
// JUDGE: oracle max_half_codes
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

#include <cmath>

__global__ void max_codes(const unsigned short* in, float* out,  // FAULT: nonfinite-mismatch at
                          int columns) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  float high = -INFINITY;
  for (int i = 0; i < columns; ++i) {
    const float value = __half2float(__ushort_as_half(in[row * columns + i]));
#ifndef TWIN
    high = value > high ? value : high;
#else
    if (!isnan(high)) high = value <= high ? high : value;
#endif
  }
  out[row] = high;
}
