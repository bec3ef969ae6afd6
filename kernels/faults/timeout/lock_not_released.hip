// A block returns out of its critical section without unlocking; the next one spins for ever. The
// twin unlocks on that path too.
// RUN: --kernel append --grid 4 --block 1 --arg i32[4]=zeros --arg i32[1]=zeros --arg i32[1]=zeros
// RUN: --arg i32[4]=zeros
// TIMEOUT: 1
#include <hip/hip_runtime.h>

__device__ void unlock(int* mutex) {
  __threadfence();
  atomicExch(mutex, 0);
}

__global__ void append(const int* in, int* mutex, int* count, int* out) {
  while (atomicCAS(mutex, 0, 1) != 0) __builtin_amdgcn_s_sleep(1);  // FAULT: timeout|deadlock at
  __threadfence();
  const int value = in[blockIdx.x];
  if (value == 0) {
#ifdef TWIN
    unlock(mutex);
#endif
    return;
  }
  out[count[0]++] = value;
  unlock(mutex);
}
