// A thread reads an element of its own scratch, gives the scratch back, and reads the same element
// again: no other thread and no barrier comes between, and on hardware the heap may have handed the
// bytes on. The twin keeps what it read.
// RUN: --kernel twice --grid 1 --block 32 --arg f32[32]=uniform(-1,1) --arg f32[32]=uninit
#include <hip/hip_runtime.h>

__global__ void twice(const float* in, float* out) {
  const int tid = threadIdx.x;
  auto* const scratch = static_cast<float*>(malloc(4 * sizeof(float)));
  for (int i = 0; i < 4; ++i) scratch[i] = in[tid] * static_cast<float>(i);
  const float first = scratch[tid % 4];
  free(scratch);
#ifndef TWIN
  out[tid] = first + scratch[tid % 4];  // FAULT: use-after-free at
#else
  out[tid] = first + first;
#endif
}
