// Mask of the lanes below by shifting a 32-bit one: from lane 32 on the shift is as wide as the
// type or wider. Right on gfx1100, undefined on gfx942. The twin shifts 64 bits.
// RUN: --kernel rank --grid 1 --block 64 --arg f32[64]=uniform(-2,-1) --arg i32[64]=uninit
// WIDTHS: 64
#include <hip/hip_runtime.h>

__global__ void rank(const float* in, int* out) {
  const int lane = threadIdx.x % warpSize;
#ifndef TWIN
  const unsigned one = 1;
#else
  const unsigned long long one = 1;
#endif
  const auto below = (one << lane) - 1;  // FAULT: undefined-behaviour at
  out[threadIdx.x] = __popcll(__ballot(in[threadIdx.x] < 0.0f) & below);
}
