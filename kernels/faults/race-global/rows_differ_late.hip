// All threads of a block copy a row of their own to the block's slot. The rows are the same but for
// some bytes in the middle. The twin lets one thread copy.
// RUN: --kernel row_of_block --grid 2 --block 128 --arg i32=48 --arg u8[96]=uninit
#include <hip/hip_runtime.h>

__global__ void row_of_block(int n, unsigned char* out) {
  __shared__ unsigned char rows[128][48];
  const int t = threadIdx.x;
  unsigned char* const slot = out + blockIdx.x * n;
  for (int i = 0; i < n; ++i) rows[t][i] = i / 4 == 6 ? t : 7;
#ifdef TWIN
  if (t == 0)
#endif
    memcpy(slot, rows[t], n);  // FAULT: race-global write other  // ALSO: race-wave at
}
