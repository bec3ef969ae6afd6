// A 64-bit index whose upper half was never set right: it lands terabytes away from any allocation.
// The twin keeps the lower half.
// RUN: --kernel pick --grid 1 --block 16 --arg f32[16]=uniform(-1,1) --arg f32[16]=uninit
// RUN: --arg i64=1099511627776
#include <hip/hip_runtime.h>

__global__ void pick(const float* in, float* out, long long base) {
  long long index = base + threadIdx.x;
#ifdef TWIN
  index &= 0xffffffffll;
#endif
  out[threadIdx.x] = in[index];  // FAULT: wild-access|out-of-bounds-global at
}
