// 16-bit codes packed by hand: each thread stores two as one 32-bit word, and readers take them one
// by one with another type and width.
// RUN: --kernel pack --grid 1 --block 64 --arg u32[128]=iota --arg u32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void pack(const unsigned* in, unsigned* out) {
  __shared__ unsigned words[64];
  const int tid = threadIdx.x;
  words[tid] = (in[2 * tid] & 0xffff) | in[2 * tid + 1] << 16;
  __syncthreads();
  const unsigned char* bytes = reinterpret_cast<const unsigned char*>(words);
  for (int i = tid; i < 128; i += blockDim.x) {
    const int code = 127 - i;
    out[i] = bytes[2 * code] | bytes[2 * code + 1] << 8;
  }
}
