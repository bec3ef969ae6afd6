// Blocks take turns by a ticket lock; what the lock guards is plain memory, handed on by a release
// store and an acquire load of the turn.
// RUN: --kernel append --grid 8 --block 1 --arg u32[2]=zeros --arg i32[9]=zeros
#include <hip/hip_runtime.h>

__global__ void append(unsigned* lock, int* list) {
  const unsigned ticket = atomicAdd(&lock[0], 1u);
  while (__hip_atomic_load(&lock[1], __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT) != ticket) {
    __builtin_amdgcn_s_sleep(1);
  }
  const int count = list[0];
  list[1 + count] = static_cast<int>(blockIdx.x);
  list[0] = count + 1;
  __hip_atomic_store(&lock[1], ticket + 1, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
}
