// Single-pass scan with look-back whose status and sum travel in one 64-bit atomic: no other memory
// is handed over, so nothing needs a fence.
// RUN: --kernel scan --grid 6 --block 64 --arg i32[384]=ones --arg u64[6]=zeros
// RUN: --arg i32[384]=uninit
#include <hip/hip_runtime.h>

constexpr int kBlock = 64;
constexpr unsigned long long kPartial = 1ull << 32;
constexpr unsigned long long kComplete = 2ull << 32;

__global__ void scan(const int* in, unsigned long long* tiles, int* out) {
  __shared__ int partial[kBlock];
  __shared__ int before;
  const int tid = threadIdx.x;
  const int i = blockIdx.x * kBlock + tid;
  partial[tid] = in[i];
  __syncthreads();
  for (int distance = 1; distance < kBlock; distance *= 2) {
    const int left = tid >= distance ? partial[tid - distance] : 0;
    __syncthreads();
    partial[tid] += left;
    __syncthreads();
  }
  if (tid == 0) {
    const unsigned sum = partial[kBlock - 1];
    atomicExch(&tiles[blockIdx.x], (blockIdx.x == 0 ? kComplete : kPartial) | sum);
    unsigned prefix = 0;
    for (int back = static_cast<int>(blockIdx.x) - 1; back >= 0;) {
      const unsigned long long tile = atomicAdd(&tiles[back], 0ull);
      if (tile == 0) continue;
      prefix += static_cast<unsigned>(tile);
      if ((tile & kComplete) != 0) break;
      --back;
    }
    if (blockIdx.x > 0) atomicExch(&tiles[blockIdx.x], kComplete | (prefix + sum));
    before = static_cast<int>(prefix);
  }
  __syncthreads();
  out[i] = before + partial[tid];
}
