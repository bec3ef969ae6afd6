// Left neighbours through a pointer into shared memory: thread 0 reads the element before the first
// variable there is. The twin gives it none.
// RUN: --kernel differences --grid 1 --block 64 --arg f32[64]=uniform(-1,1) --arg f32[64]=uninit
#include <hip/hip_runtime.h>

__device__ __noinline__ float left_of(const float* place) {
  return place[-1];  // FAULT: out-of-bounds-shared at
}

__global__ void differences(const float* in, float* out) {
  __shared__ float row[64];
  const int tid = threadIdx.x;
  row[tid] = in[tid];
  __syncthreads();
#ifdef TWIN
  const float left = tid > 0 ? left_of(row + tid) : 0.0f;
#else
  const float left = left_of(row + tid);
#endif
  out[tid] = row[tid] - left;
}
