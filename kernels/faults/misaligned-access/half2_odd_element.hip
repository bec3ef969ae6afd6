// Pairs of halves read through __half2 from an odd element on: 2 bytes off where 4 are wanted. The
// twin begins at an even one.
// RUN: --kernel pair_sums --grid 1 --block 32 --arg f16[68]=uniform(-1,1) --arg f32[32]=uninit
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

__global__ void pair_sums(const __half* in, float* out) {
#ifndef TWIN
  const __half* const row = in + 1;
#else
  const __half* const row = in + 2;
#endif
  const __half2 pair =
      reinterpret_cast<const __half2*>(row)[threadIdx.x];  // FAULT: misaligned-access at
  out[threadIdx.x] = __low2float(pair) + __high2float(pair);
}
