// Attention scores, of which the threads below seq_len write one each, and a sum over all 256
// slots. The claim that such memory must be cleared holds for this form: slots from seq_len on are
// read and never written. The twin is the form as quoted there: its reads stop at seq_len as the
// writes do, and clearing would add nothing.
// RUN: --kernel score_sum --grid 1 --block 256 --arg f32[96]=uniform(-1,1) --arg f32[1]=uninit
// RUN: --arg i32=96
// CLAIM: MS-004
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void score_sum(const float* scores, float* out, int seq_len) {
  __shared__ float s_partial[kBlock];
  __shared__ float s_scores[kBlock];
  const int tid = threadIdx.x;
  s_partial[tid] = 0.0f;
  if (tid < seq_len) s_scores[tid] = expf(scores[tid]);
#ifndef TWIN
  s_partial[tid] += s_scores[tid];  // FAULT: uninitialised-read-shared at
#else
  if (tid < seq_len) s_partial[tid] += s_scores[tid];
#endif
  __syncthreads();
  for (int stride = kBlock / 2; stride > 0; stride /= 2) {
    if (tid < stride) s_partial[tid] += s_partial[tid + stride];
    __syncthreads();
  }
  if (tid == 0) out[0] = s_partial[0];
}
