// Bitonic sort in shared memory without the barrier between its stages: partners of the next stage
// may be compared before this stage has exchanged them. The twin has it.
// RUN: --kernel sort --grid 1 --block 256 --arg f32[256]=uniform(-1,1) --arg f32[256]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 256;

__global__ void sort(const float* in, float* out) {
  __shared__ float keys[kBlock];
  const int tid = threadIdx.x;
  keys[tid] = in[tid];
  __syncthreads();
  for (int size = 2; size <= kBlock; size *= 2) {
    for (int distance = size / 2; distance > 0; distance /= 2) {
      const int partner = tid ^ distance;
      if (partner > tid) {
        const float low = keys[tid];       // FAULT: race-shared other
        const float high = keys[partner];  // FAULT: race-shared other
        if (((tid & size) == 0) == (low > high)) {
          keys[tid] = high;     // FAULT: race-shared write other
          keys[partner] = low;  // FAULT: race-shared write other
        }
      }
#ifdef TWIN
      __syncthreads();
#endif
    }
  }
  out[tid] = keys[tid];  // ALSO: race-shared other
}
