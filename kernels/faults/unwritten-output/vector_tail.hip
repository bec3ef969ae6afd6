// Copy in float4 that leaves out the n % 4 last elements, rather than run past the end. The twin
// copies them one by one.
// RUN: --kernel copy --grid 1 --block 256 --arg f32[1022]=uniform(-1,1) --arg f32[1022]=uninit
// RUN: --arg i32=1022
#include <hip/hip_runtime.h>

__global__ void copy(const float* in, float* out, int n) {  // FAULT: unwritten-output at
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n / 4) {
    const float4 four = reinterpret_cast<const float4*>(in)[i];
    reinterpret_cast<float4*>(out)[i] = four;  // FAULT: unwritten-output at
  }
#ifdef TWIN
  const int tail = n / 4 * 4 + i;
  if (tail < n) out[tail] = in[tail];
#endif
}
