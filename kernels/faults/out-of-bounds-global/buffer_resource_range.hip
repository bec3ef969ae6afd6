// Vector loads through a buffer resource, whose range the hardware checks: it was made for the
// padded length, so that the last loads lie behind the buffer and are not cut off. The twin gives
// the buffer's own length; what is out of that range reads as zero.
// RUN: --kernel copy --grid 1 --block 16 --arg f32[50]=iota --arg f32[64]=uninit --arg i32=50
#include <hip/hip_runtime.h>

constexpr int kRawFlags = 0x00027000;

__global__ void copy(float* in, float* out, int count) {
#ifdef TWIN
  const int bytes = count * 4;
#else
  const int bytes = (count + 15) / 16 * 64;
#endif
  const auto buffer = __builtin_amdgcn_make_buffer_rsrc(in, 0, bytes, kRawFlags);
  const int place = threadIdx.x * 16;
  const auto four =
      __builtin_amdgcn_raw_buffer_load_b128(buffer, place, 0, 0);  // FAULT: out-of-bounds-global at
  for (int i = 0; i < 4; ++i) out[threadIdx.x * 4 + i] = __uint_as_float(four[i]);
}
