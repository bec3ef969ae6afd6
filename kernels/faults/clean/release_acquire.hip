// A chain of blocks, each of which waits for its predecessor's flag with acquire and raises its own
// with release: plain data is handed from block to block in one launch.
// RUN: --kernel chain --grid 8 --block 1 --arg i32[8]=iota --arg i32[8]=zeros --arg i32[8]=uninit
#include <hip/hip_runtime.h>

__global__ void chain(const int* in, int* flags, int* sums) {
  const int b = blockIdx.x;
  int before = 0;
  if (b > 0) {
    while (__hip_atomic_load(&flags[b - 1], __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT) == 0) {
      __builtin_amdgcn_s_sleep(1);
    }
    before = sums[b - 1];
  }
  sums[b] = before + in[b];
  __hip_atomic_store(&flags[b], 1, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
}
