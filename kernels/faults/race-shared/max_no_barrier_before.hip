// The maximum of a softmax row, with the barrier between the partial maxima and their tree removed:
// the form in which the quoted reduction does race. The twin has the barrier. (The quoted one has
// it too, and starts at stride 16: that form is bound-exceeded/max_first_32.hip, and has no race.)
// RUN: --kernel row_max --grid 2 --block 256 --arg f32[1024]=uniform(-8,8) --arg f32[2]=uninit
// RUN: --arg i32=512
// CLAIM: MS-005
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void row_max(const float* in, float* out, int columns) {
  __shared__ float s_max[kBlock];
  const int tid = threadIdx.x;
  const float* row = in + blockIdx.x * columns;
  float high = -1e20f;
  for (int i = tid; i < columns; i += kBlock) high = fmaxf(high, row[i]);
  s_max[tid] = high;  // FAULT: race-shared write
#ifdef TWIN
  __syncthreads();
#endif
  for (int stride = kBlock / 2; stride > 0; stride >>= 1) {
    if (tid < stride) {
      s_max[tid] = fmaxf(s_max[tid], s_max[tid + stride]);  // FAULT: race-shared other
    }
    __syncthreads();
  }
  if (tid == 0) out[blockIdx.x] = s_max[0];
}
