// Scratch memory in a union, first for wave sums and then for the sorted keys of the next step: the
// second use begins while the first is still read. The twin has a barrier between the two.
// RUN: --kernel two_steps --grid 1 --block 128 --arg f32[128]=uniform(-1,1) --arg f32[128]=uninit
#include <hip/hip_runtime.h>

union Scratch {
  float sums[4];
  float keys[128];
};

__global__ void two_steps(const float* in, float* out) {
  __shared__ Scratch scratch;
  const int tid = threadIdx.x;
  const float value = in[tid];
  float sum = value;
  for (int distance = warpSize / 2; distance > 0; distance /= 2) sum += __shfl_xor(sum, distance);
  if (tid % warpSize == 0) scratch.sums[tid / warpSize] = sum;
  __syncthreads();
  float mean = 0.0f;
  for (int w = 0; w < 128 / warpSize; ++w)
    mean += scratch.sums[w];  // FAULT: race-shared other  // ALSO: race-wave other
#ifdef TWIN
  __syncthreads();
#endif
  scratch.keys[tid] = value - mean / 128.0f;  // FAULT: race-shared write  // ALSO: race-wave write
  __syncthreads();
  out[tid] = scratch.keys[127 - tid];
}
