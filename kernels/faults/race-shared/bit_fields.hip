// Flags as bit fields of one word, each set by a wave of its own: a store to one of them rewrites
// its neighbours. The twin gives each a byte.
// RUN: --kernel check --grid 1 --block 128 --arg f32[128]=uniform(-1,1) --arg i32[1]=uninit
#include <hip/hip_runtime.h>

struct Flags {
#ifndef TWIN
  unsigned low : 4;
  unsigned high : 4;
#else
  unsigned char low;
  unsigned char high;
#endif
};

__global__ void check(const float* in, int* out) {
  __shared__ Flags flags;
  if (threadIdx.x == 0) flags = Flags{0, 0};
  __syncthreads();
  if (threadIdx.x == 0) flags.low = in[0] > -2.0f;    // FAULT: race-shared write other
  if (threadIdx.x == 64) flags.high = in[64] > 2.0f;  // FAULT: race-shared write other
  __syncthreads();
  if (threadIdx.x == 127) out[0] = flags.low + 2 * flags.high;
}
