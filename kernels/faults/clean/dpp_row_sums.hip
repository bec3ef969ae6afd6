// Sums over rows of 16 lanes in the style of rocPRIM and composable_kernel, by DPP moves, a swizzle
// and a permutation, and the total read from the last lane.
// RUN: --kernel row_sums --grid 1 --block 64 --arg i32[64]=iota --arg i32[64]=uninit
#include <hip/hip_runtime.h>

__global__ void row_sums(const int* in, int* out) {
  int sum = in[threadIdx.x];
  sum += __builtin_amdgcn_update_dpp(0, sum, 0x111, 0xf, 0xf, true);  // row_shr:1
  sum += __builtin_amdgcn_update_dpp(0, sum, 0x112, 0xf, 0xf, true);
  sum += __builtin_amdgcn_update_dpp(0, sum, 0x114, 0xf, 0xf, true);
  sum += __builtin_amdgcn_update_dpp(0, sum, 0x118, 0xf, 0xf, true);
  const int total = __builtin_amdgcn_ds_bpermute(4 * (threadIdx.x % 64 / 16 * 16 + 15), sum);
  out[threadIdx.x] = total + __builtin_amdgcn_ds_swizzle(sum, 0x401f);  // xor 16
}
