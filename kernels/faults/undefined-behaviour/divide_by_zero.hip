// Group index by division through a group count that is zero for this configuration. The hardware
// has no integer division: the expansion returns some number and no trap tells. The twin asks
// first.
// RUN: --kernel group_of --grid 1 --block 64 --arg i32[64]=uninit --arg i32=0
#include <hip/hip_runtime.h>

__global__ void group_of(int* out, int heads_per_group) {
  const int head = threadIdx.x;
#ifdef TWIN
  if (heads_per_group == 0) {
    out[head] = 0;
    return;
  }
#endif
  out[head] = head / heads_per_group;  // FAULT: undefined-behaviour at
}
