// Softmax with one block reduction used twice on the same buffer: the second call stores into slot
// 0 while slow waves still read the first call's result from it. Each reduction by itself is right.
// The twin has a barrier after the result is read.
// RUN: --kernel softmax --grid 2 --block 128 --arg f32[256]=uniform(-4,4) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 128;

template <class Operation>
__device__ float over_block(float value, float* slots, Operation operation) {
  const int tid = threadIdx.x;
  slots[tid] = value;  // FAULT: race-shared write
  __syncthreads();
  for (int stride = kBlock / 2; stride > 0; stride /= 2) {
    if (tid < stride) slots[tid] = operation(slots[tid], slots[tid + stride]);
    __syncthreads();
  }
  const float result = slots[0];  // FAULT: race-shared other
#ifdef TWIN
  __syncthreads();
#endif
  return result;
}

struct Max {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};
struct Sum {
  __device__ float operator()(float a, float b) const { return a + b; }
};

__global__ void softmax(const float* in, float* out) {
  __shared__ float slots[kBlock];
  const int i = blockIdx.x * kBlock + threadIdx.x;
  const float high = over_block(in[i], slots, Max{});
  const float power = expf(in[i] - high);
  out[i] = power / over_block(power, slots, Sum{});
}
