// Grid cell of a point by truncating x / cell to int: points far outside do not fit in an int. The
// twin clamps in floating point first.
// RUN: --kernel cell_of --grid 1 --block 64 --arg f32[64]=uniform(1e9,2e9) --arg i32[64]=uninit
// RUN: --arg f32=0.01
#include <hip/hip_runtime.h>

#ifdef TWIN
constexpr float kCells = 1024.0f;
#endif

__global__ void cell_of(const float* in, int* out, float cell) {
  float position = in[threadIdx.x] / cell;
#ifdef TWIN
  position = fminf(fmaxf(position, 0.0f), kCells - 1.0f);
#endif
  out[threadIdx.x] = static_cast<int>(position);  // FAULT: undefined-behaviour at
}
