// All blocks count into one total with atomicAdd_block, which is atomic for the threads of a block
// only: its result may stay in a cache that other blocks do not see. The twin's atomicAdd holds for
// the device.
// RUN: --kernel count --grid 8 --block 64 --arg f32[512]=uniform(-1,1) --arg u32[1]=zeros
#include <hip/hip_runtime.h>

__global__ void count(const float* in, unsigned* total) {
  if (in[blockIdx.x * blockDim.x + threadIdx.x] < 0.0f) {
#ifndef TWIN
    atomicAdd_block(total, 1u);  // FAULT: race-atomic-scope write other
#else
    atomicAdd(total, 1u);
#endif
  }
}
