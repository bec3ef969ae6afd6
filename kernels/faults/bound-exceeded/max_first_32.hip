// The quoted maximum of a softmax row, its barriers in place: the tree starts at stride 16 and so
// looks at 32 of the 256 partial maxima. There is no race here; the answer is wrong whenever the
// maximum lies elsewhere. The twin starts at stride 128. (With a barrier removed it does race:
// race-shared/max_no_barrier_before.)
// RUN: --kernel row_max --grid 8 --block 256 --arg f32[4096]=uniform(-8,8) --arg f32[8]=uninit
// RUN: --arg i32=512
// JUDGE: oracle max_rows
// CLAIM: MS-005
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;
#ifndef TWIN
constexpr int kFirstStride = 16;
#else
constexpr int kFirstStride = kBlock / 2;
#endif

__global__ void row_max(const float* in, float* out, int columns) {  // FAULT: bound-exceeded at
  __shared__ float s_max[kBlock];
  const int tid = threadIdx.x;
  const float* row = in + blockIdx.x * columns;
  float high = -1e20f;
  for (int i = tid; i < columns; i += kBlock) high = fmaxf(high, row[i]);
  s_max[tid] = high;
  __syncthreads();
  for (int stride = kFirstStride; stride > 0; stride >>= 1) {
    if (tid < stride) s_max[tid] = fmaxf(s_max[tid], s_max[tid + stride]);
    __syncthreads();
  }
  if (tid == 0) out[blockIdx.x] = s_max[0];
}
