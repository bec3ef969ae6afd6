// Moving average over a ring of four values in registers, indexed modulo five: every fifth step
// reads and writes past the private array, over other variables of the same lane (or its spilled
// registers). The twin takes the index modulo four.
// RUN: --kernel moving_average --grid 1 --block 64 --arg f32[1024]=uniform(-1,1)
// RUN: --arg f32[1024]=uninit --arg i32=16
#include <hip/hip_runtime.h>

constexpr int kWindow = 4;
#ifndef TWIN
constexpr int kModulus = kWindow + 1;
#else
constexpr int kModulus = kWindow;
#endif

__global__ void moving_average(const float* in, float* out, int length) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  float window[kWindow] = {};
  float sum = 0.0f;
  for (int i = 0; i < length; ++i) {
    const int slot = i % kModulus;
    const float value = in[row * length + i];
    sum += value - window[slot];  // FAULT: out-of-bounds-private at
    window[slot] = value;         // FAULT: out-of-bounds-private at
    out[row * length + i] = sum / kWindow;
  }
}
