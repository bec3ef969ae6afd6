// Half of the block hands over two parts, one after the other, through one counter. The other half
// waits for the first, says that it has it, and only sleeps before it reads the second: what it
// learnt from the counter ends with the first. The twin waits for the second too.
// RUN: --kernel two_parts --grid 1 --block 128 --arg i32[64]=iota --arg i32[64]=uninit
#include <hip/hip_runtime.h>

constexpr int kHalf = 64;

__device__ void wait_for(int* counter, int value) {
  while (__hip_atomic_load(counter, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_WORKGROUP) < value)
    __builtin_amdgcn_s_sleep(1);
}

__device__ void announce(int* counter) {
  __hip_atomic_fetch_add(counter, 1, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_WORKGROUP);
}

__global__ void two_parts(const int* in, int* out) {
  __shared__ int first[kHalf];
  __shared__ int second[kHalf];
  __shared__ int ready;
  __shared__ int taken;
  if (threadIdx.x == 0) ready = taken = 0;
  __syncthreads();
  const int place = threadIdx.x % kHalf;
  if (threadIdx.x < kHalf) {
    first[place] = in[place];
    announce(&ready);
    wait_for(&taken, kHalf);
    second[place] = 2 * in[place];  // FAULT: race-shared write
    announce(&ready);
  } else {
    wait_for(&ready, kHalf);
    const int part = first[kHalf - 1 - place];
    announce(&taken);
#ifdef TWIN
    wait_for(&ready, 2 * kHalf);
#else
    for (int i = 0; i < 100; ++i) __builtin_amdgcn_s_sleep(127);
#endif
    out[place] = part + second[kHalf - 1 - place];  // FAULT: race-shared other
  }
}
