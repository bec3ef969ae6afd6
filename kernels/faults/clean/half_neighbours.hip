// Two threads of different blocks write the two halves of one 32-bit word: the seam between the
// blocks' 33 elements lies inside a word.
// RUN: --kernel scale --grid 4 --block 33 --arg f16[132]=uniform(-1,1) --arg f16[132]=uninit
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

__global__ void scale(const __half* in, __half* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = __float2half(2.0f * __half2float(in[i]));
}
