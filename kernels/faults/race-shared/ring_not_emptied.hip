// Half of the block fills a ring of two slots for the other half, which announces when it has read
// one. The producer does not wait for that: from the third step on it overwrites what may not have
// been read. The twin waits until the slot is empty.
// RUN: --kernel shifted_sums --grid 2 --block 128 --arg f32[1024]=iota --arg f32[128]=uninit
// RUN: --arg i32=8
#include <hip/hip_runtime.h>

constexpr int kSlots = 2;
constexpr int kLength = 64;

__device__ void wait_for(int* counter, int value) {
  while (__hip_atomic_load(counter, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_WORKGROUP) < value)
    __builtin_amdgcn_s_sleep(1);
}

__device__ void announce(int* counter) {
  __hip_atomic_fetch_add(counter, 1, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_WORKGROUP);
}

__global__ void shifted_sums(const float* in, float* out, int steps) {
  __shared__ float ring[kSlots][kLength];
  __shared__ int full[kSlots];
  __shared__ int empty[kSlots];
  if (threadIdx.x < kSlots) full[threadIdx.x] = empty[threadIdx.x] = 0;
  __syncthreads();
  const int place = threadIdx.x % kLength;
  float sum = 0.0f;
  for (int step = 0; step < steps; ++step) {
    const int slot = step % kSlots;
    if (threadIdx.x < kLength) {
#ifdef TWIN
      wait_for(&empty[slot], step / kSlots * kLength);
#endif
      const float* row = in + (blockIdx.x * steps + step) * kLength;
      ring[slot][place] = row[place];  // FAULT: race-shared write
      announce(&full[slot]);
    } else {
      wait_for(&full[slot], (step / kSlots + 1) * kLength);
      sum += ring[slot][(place + 1) % kLength];  // FAULT: race-shared other
      announce(&empty[slot]);
    }
  }
  if (threadIdx.x >= kLength) out[blockIdx.x * kLength + place] = sum;
}
