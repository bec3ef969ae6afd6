// One byte a thread in shared and in global memory: four threads write into one word, each its own
// byte. Bytes are separate memory locations.
// RUN: --kernel flags --grid 2 --block 128 --arg f32[256]=uniform(-1,1) --arg u8[256]=uninit
#include <hip/hip_runtime.h>

__global__ void flags(const float* in, unsigned char* out) {
  __shared__ bool negative[128];
  const int tid = threadIdx.x;
  const int first = blockIdx.x * 128;
  negative[tid] = in[first + tid] < 0.0f;
  __syncthreads();
  out[first + tid] = negative[127 - tid] ? 1 : 0;
}
