// Three stages that different blocks run report their state through one word: whichever is last
// decides. Each stage races with both others, whatever the order in which they come. The twin gives
// each a word of its own.
// RUN: --kernel stages --grid 3 --block 1 --arg i32[3]=zeros
#include <hip/hip_runtime.h>

#ifndef TWIN
#define SLOT(stage) 0
#else
#define SLOT(stage) stage
#endif

__device__ __noinline__ void load(int* state) {
  state[SLOT(0)] = 10;  // FAULT: race-grid write other
}
__device__ __noinline__ void compute(int* state) {
  state[SLOT(1)] = 20;  // FAULT: race-grid write other
}
__device__ __noinline__ void store(int* state) {
  state[SLOT(2)] = 30;  // FAULT: race-grid write other
}

__global__ void stages(int* state) {
  if (blockIdx.x == 0) load(state);
  if (blockIdx.x == 1) compute(state);
  if (blockIdx.x == 2) store(state);
}
