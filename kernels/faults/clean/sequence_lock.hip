// A sequence lock whose data are atomics too: readers begin again where a writer came between. They
// wait in a loop over three places, none of which is read twice in a row.
// RUN: --kernel publish --grid 2 --block 64 --arg u32[3]=zeros --arg u32[64]=zeros
#include <hip/hip_runtime.h>

__device__ unsigned read(const unsigned* place, int order) {
  return order == __ATOMIC_ACQUIRE
             ? __hip_atomic_load(place, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT)
             : __hip_atomic_load(place, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}

__global__ void publish(unsigned* lock, unsigned* difference) {
  if (blockIdx.x == 0) {
    for (unsigned value = 1; threadIdx.x == 0 && value <= 4; ++value) {
      __hip_atomic_fetch_add(&lock[0], 1u, __ATOMIC_ACQ_REL, __HIP_MEMORY_SCOPE_AGENT);
      __hip_atomic_store(&lock[1], value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
      __hip_atomic_store(&lock[2], 3 * value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
      __hip_atomic_fetch_add(&lock[0], 1u, __ATOMIC_ACQ_REL, __HIP_MEMORY_SCOPE_AGENT);
    }
    return;
  }
  unsigned before;
  unsigned one;
  unsigned three;
  unsigned after;
  do {
    before = read(&lock[0], __ATOMIC_ACQUIRE);
    one = read(&lock[1], __ATOMIC_RELAXED);
    three = read(&lock[2], __ATOMIC_RELAXED);
    __threadfence();
    after = read(&lock[0], __ATOMIC_RELAXED);
  } while (before != after || before < 8);
  difference[threadIdx.x] = three - 3 * one;
}
