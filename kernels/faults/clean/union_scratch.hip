// One shared buffer used as floats in a first phase and as ints in a second, through a union, with
// a barrier between the phases.
// RUN: --kernel two_lives --grid 1 --block 128 --arg f32[128]=uniform(-1,1) --arg f32[128]=uninit
// RUN: --arg i32[128]=uninit
#include <hip/hip_runtime.h>

__global__ void two_lives(const float* in, float* out_values, int* out_bits) {
  __shared__ union {
    float values[128];
    int bits[128];
  } scratch;
  const int tid = threadIdx.x;
  scratch.values[tid] = in[tid];
  __syncthreads();
  const float value = scratch.values[127 - tid];
  out_values[tid] = value;
  __syncthreads();
  scratch.bits[tid] = __float_as_int(value) >> 23;
  __syncthreads();
  out_bits[tid] = scratch.bits[(tid + 64) % 128];
}
