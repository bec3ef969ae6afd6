// Quantising a row by 127 / max |x| when the row is all zeros: 0 * inf is NaN, and NaN has no int.
// AMD's conversion gives 0 for it, x86 the smallest int. The twin uses a scale of zero.
// RUN: --kernel quantise --grid 1 --block 32 --arg f32[32]=zeros --arg i8[32]=uninit
#include <hip/hip_runtime.h>

__global__ void quantise(const float* in, signed char* out) {
  float high = fabsf(in[threadIdx.x]);
  for (int distance = 16; distance > 0; distance /= 2) {
    high = fmaxf(high, __shfl_xor(high, distance));
  }
#ifndef TWIN
  const float scale = 127.0f / high;
#else
  const float scale = high > 0.0f ? 127.0f / high : 0.0f;
#endif
  const float scaled = rintf(in[threadIdx.x] * scale);
  const int rounded = static_cast<int>(scaled);  // FAULT: undefined-behaviour at
  out[threadIdx.x] = static_cast<signed char>(rounded);
}
