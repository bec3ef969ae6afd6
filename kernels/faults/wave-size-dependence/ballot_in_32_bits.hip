// Count of lanes by a ballot kept in 32 bits, as CUDA code has it: at width 64 the upper half of
// the wave is lost. The twin keeps all 64 bits.
// RUN: --kernel count_negative --grid 4 --block 64 --arg f32[256]=uniform(-2,-1) --arg i32[4]=zeros
// WIDTHS: both
// JUDGE: widths
#include <hip/hip_runtime.h>

__global__ void count_negative(const float* in, int* out) {  // FAULT: wave-size-dependence at
  const bool negative = in[blockIdx.x * blockDim.x + threadIdx.x] < 0.0f;
#ifndef TWIN
  const unsigned votes = static_cast<unsigned>(__ballot(negative));
#else
  const unsigned long long votes = __ballot(negative);
#endif
  if (threadIdx.x % warpSize == 0) atomicAdd(&out[blockIdx.x], __popcll(votes));
}
