// Two phases over a scratch buffer in global memory: the first writes the n values that exist, the
// second sums 256 of them. Elements n to 255 were never written. The twin writes zeros there.
// RUN: --kernel padded_sum --grid 1 --block 256 --arg f32[200]=uniform(-1,1) --arg f32[256]=uninit
// RUN: --arg f32[1]=uninit --arg i32=200
// ALSO: unwritten-output
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void padded_sum(const float* in, float* scratch, float* out, int n) {
  const int tid = threadIdx.x;
  if (tid < n) {
    scratch[tid] = in[tid] * in[tid];
  }
#ifdef TWIN
  else {
    scratch[tid] = 0.0f;
  }
#endif
  __syncthreads();
  if (tid == 0) {
    float sum = 0.0f;
    for (int i = 0; i < kBlock; ++i) {
      sum += scratch[i];  // FAULT: uninitialised-read-global at
    }
    out[0] = sum;
  }
}
