// Histogram of values in [-0.5, 0.5) whose inputs reach down to -1: their bin is negative and the
// atomic add lands before the counters. An atomic out of bounds corrupts as silently as a store
// does. The twin drops values that have no bin.
// RUN: --kernel histogram --grid 4 --block 256 --arg f32[1024]=uniform(-1,0.5) --arg u32[64]=zeros
// RUN: --arg i32=64
#include <hip/hip_runtime.h>

__global__ void histogram(const float* values, unsigned* counts, int bins) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const int bin = static_cast<int>(floorf((values[i] + 0.5f) * bins));
#ifdef TWIN
  if (bin < 0 || bin >= bins) return;
#endif
  atomicAdd(&counts[bin], 1u);  // FAULT: out-of-bounds-global at
}
