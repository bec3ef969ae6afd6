// Vector loads from a row that starts one element into the buffer: every float4 lies 4 bytes off
// its 16. The language makes that undefined; LDS and atomics trap or split on it, and code
// generation may rely on the alignment. The twin loads elements.
// RUN: --kernel sum4 --grid 1 --block 64 --arg f32[257]=uniform(-1,1) --arg f32[64]=uninit
#include <hip/hip_runtime.h>

__global__ void sum4(const float* in, float* out) {
  const float* row = in + 1;
  const int i = threadIdx.x;
#ifndef TWIN
  const float4 v = reinterpret_cast<const float4*>(row)[i];  // FAULT: misaligned-access at
#else
  const float4 v = make_float4(row[4 * i], row[4 * i + 1], row[4 * i + 2], row[4 * i + 3]);
#endif
  out[i] = v.x + v.y + v.z + v.w;
}
