// One thread computes the row's scale into a shared scalar and all use it, with no barrier between:
// other waves may read it before it is written. The twin has the barrier.
// RUN: --kernel normalise --grid 2 --block 128 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void normalise(const float* in, float* out) {
  __shared__ float scale;
  const int n = blockDim.x;
  const float* row = in + blockIdx.x * n;
  if (threadIdx.x == 0) {
    float sum = 0.0f;
    for (int i = 0; i < n; ++i) sum += row[i] * row[i];
    scale = rsqrtf(sum / n + 1e-5f);  // FAULT: race-shared write
  }
#ifdef TWIN
  __syncthreads();
#endif
  out[blockIdx.x * n + threadIdx.x] = row[threadIdx.x] * scale;  // FAULT: race-shared other
}
