// Double-buffered tiles: while one is summed, the next is loaded into the other. Two buffers halve
// the barriers but do not remove them: without the one at the end of a round, a fast wave
// overwrites the buffer that a slow one still reads. The twin has it.
// RUN: --kernel reversed_sums --grid 1 --block 256 --arg f32[1024]=uniform(-1,1)
// RUN: --arg f32[256]=uninit --arg i32=4
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void reversed_sums(const float* in, float* out, int tiles) {
  __shared__ float buffer[2][kBlock];
  const int tid = threadIdx.x;
  buffer[0][tid] = in[tid];
  __syncthreads();
  float sum = 0.0f;
  for (int t = 0; t < tiles; ++t) {
    if (t + 1 < tiles) {
      buffer[(t + 1) % 2][tid] = in[(t + 1) * kBlock + tid];  // FAULT: race-shared write
    }
    sum += buffer[t % 2][kBlock - 1 - tid];  // FAULT: race-shared other
#ifdef TWIN
    __syncthreads();
#endif
  }
  out[tid] = sum;
}
