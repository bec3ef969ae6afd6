// A bare s_barrier between storing to shared memory and reading the neighbour's value: all waves
// meet, and nothing makes their stores visible or keeps the compiler from moving the accesses
// across. Libraries that did this failed in most of their runs. The twin's __syncthreads has the
// fences.
// RUN: --kernel reverse --grid 2 --block 256 --arg f32[512]=uniform(-1,1) --arg f32[512]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void reverse(const float* in, float* out) {
  __shared__ float slots[kBlock];
  const int tid = threadIdx.x;
  slots[tid] = in[blockIdx.x * kBlock + tid];  // FAULT: barrier-without-fence write
#ifndef TWIN
  __builtin_amdgcn_s_barrier();
#else
  __syncthreads();
#endif
  out[blockIdx.x * kBlock + tid] = slots[kBlock - 1 - tid];  // FAULT: barrier-without-fence other
}
