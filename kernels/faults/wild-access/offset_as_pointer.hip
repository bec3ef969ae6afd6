// Offsets of records, stored as integers, are used as if they were addresses: the base is
// forgotten. The twin adds it.
// RUN: --kernel gather --grid 1 --block 16 --arg u64[16]=iota --arg f32[64]=uniform(-1,1)
// RUN: --arg f32[16]=uninit
#include <hip/hip_runtime.h>

__global__ void gather(const unsigned long long* records, const float* base, float* out) {
  const unsigned long long offset = records[threadIdx.x] * 4 * sizeof(float);
#ifndef TWIN
  const float* record = reinterpret_cast<const float*>(offset);
#else
  const float* record = base + offset / sizeof(float);
#endif
  out[threadIdx.x] = record[0];  // FAULT: wild-access at
}
