// ReLU that stores only positive values, as if the output were zero to begin with. The twin stores
// both.
// RUN: --kernel relu --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void relu(const float* in, float* out) {  // FAULT: unwritten-output at
  const float value = in[threadIdx.x];
#ifndef TWIN
  if (value > 0.0f) out[threadIdx.x] = value;  // FAULT: unwritten-output at
#else
  out[threadIdx.x] = fmaxf(value, 0.0f);
#endif
}
