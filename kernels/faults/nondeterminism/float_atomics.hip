// Sum of floats over blocks by atomic adds: float addition is not associative, so the last bits
// depend on the order in which blocks finish. The twin's last block adds the parts in a fixed
// order.
// RUN: --kernel sum --grid 64 --block 64 --arg f32[4096]=normal --arg f32[1]=zeros
// RUN: --arg f32[64]=zeros --arg u32[1]=zeros
// JUDGE: repeat
#include <hip/hip_runtime.h>

__global__ void sum(const float* in, float* out, float* parts,  // FAULT: nondeterminism at
                    unsigned* ticket) {
  if (threadIdx.x != 0) return;
  float part = 0.0f;
  for (int i = 0; i < static_cast<int>(blockDim.x); ++i) part += in[blockIdx.x * blockDim.x + i];
#ifndef TWIN
  atomicAdd(out, part);
#else
  parts[blockIdx.x] = part;
  __threadfence();
  const bool last = atomicAdd(ticket, 1u) == gridDim.x - 1;
  __threadfence();
  if (!last) return;
  float total = 0.0f;
  for (int b = 0; b < static_cast<int>(gridDim.x); ++b) total += parts[b];
  out[0] = total;
#endif
}
