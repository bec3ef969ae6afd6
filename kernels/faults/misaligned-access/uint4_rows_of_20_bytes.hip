// Rows of 20 bytes, the first 16 of each stored as one uint4: every row but each fourth lies off
// its 16. The twin stores words.
// RUN: --kernel pack --grid 1 --block 16 --arg u32[64]=iota --arg u32[80]=zeros
#include <hip/hip_runtime.h>

__global__ void pack(const uint4* in, unsigned* rows) {
  const uint4 value = in[threadIdx.x];
  unsigned* const row = rows + 5 * threadIdx.x;
#ifndef TWIN
  *reinterpret_cast<uint4*>(row) = value;  // FAULT: misaligned-access at
#else
  row[0] = value.x;
  row[1] = value.y;
  row[2] = value.z;
  row[3] = value.w;
#endif
  row[4] = threadIdx.x;
}
