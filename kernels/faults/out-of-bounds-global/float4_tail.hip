// Copy in float4 of a length that is no multiple of four: the last vector load and the last vector
// store reach two elements past their buffers. hipMalloc rounds sizes up, so this often passes on
// hardware until the buffer comes from a pool. The twin copies the tail by elements.
// RUN: --kernel copy --grid 1 --block 256 --arg f32[1022]=uniform(-1,1) --arg f32[1022]=uninit
// RUN: --arg i32=1022
#include <hip/hip_runtime.h>

__global__ void copy(const float* in, float* out, int n) {
  const int i = 4 * (blockIdx.x * blockDim.x + threadIdx.x);
#ifdef TWIN
  if (i + 4 > n) {
    for (int j = i; j < n; ++j) out[j] = in[j];
    return;
  }
#endif
  if (i >= n) return;
  const float4 four = *reinterpret_cast<const float4*>(in + i);  // FAULT: out-of-bounds-global at
  *reinterpret_cast<float4*>(out + i) = four;                    // FAULT: out-of-bounds-global at
}
