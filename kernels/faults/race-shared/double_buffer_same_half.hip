// Double-buffered tiles with one barrier a round, which is enough if the halves alternate. Here the
// half is chosen by t / 2, so every second round loads into the half that slow waves still sum. The
// twin alternates.
// RUN: --kernel reversed_sums --grid 1 --block 256 --arg f32[1024]=uniform(-1,1)
// RUN: --arg f32[256]=uninit --arg i32=4
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void reversed_sums(const float* in, float* out, int tiles) {
  __shared__ float buffer[2][kBlock];
  const int tid = threadIdx.x;
  float sum = 0.0f;
  for (int t = 0; t < tiles; ++t) {
#ifndef TWIN
    const int half = t / 2 % 2;
#else
    const int half = t % 2;
#endif
    buffer[half][tid] = in[t * kBlock + tid];  // FAULT: race-shared write
    __syncthreads();
    sum += buffer[half][kBlock - 1 - tid];  // FAULT: race-shared other
  }
  out[tid] = sum;
}
