// Loads and stores of every width through buffer resources: what lies behind their range reads as
// zero and is not stored, so that no tail needs a guard.
// RUN: --kernel copy_tail --grid 1 --block 64 --arg u32[50]=iota --arg u32[50]=uninit
// RUN: --arg u8[50]=uninit --arg i32=50
#include <hip/hip_runtime.h>

constexpr int kRawFlags = 0x00027000;

__global__ void copy_tail(unsigned* in, unsigned* out, unsigned char* low, int count) {
  const auto from = __builtin_amdgcn_make_buffer_rsrc(in, 0, count * 4, kRawFlags);
  const auto to = __builtin_amdgcn_make_buffer_rsrc(out, 0, count * 4, kRawFlags);
  const auto bytes = __builtin_amdgcn_make_buffer_rsrc(low, 0, count, kRawFlags);
  const int tid = threadIdx.x;
  if (tid < 16) {
    const auto four = __builtin_amdgcn_raw_buffer_load_b128(from, tid * 16, 0, 0);
    __builtin_amdgcn_raw_buffer_store_b128(four, to, tid * 8, tid * 8, 0);
  }
  const unsigned one = __builtin_amdgcn_raw_buffer_load_b32(from, tid * 4, 0, 0);
  __builtin_amdgcn_raw_buffer_store_b8(static_cast<unsigned char>(one), bytes, tid, 0, 0);
}
