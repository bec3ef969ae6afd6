// One block sends messages to another through a mailbox with sequence numbers, and fills it again
// without waiting until the last message was read. The twin waits for the reply.
// RUN: --kernel mail --grid 2 --block 64 --arg i32[64]=iota --arg i32[64]=zeros --arg i32[2]=zeros --arg i32[64]=uninit
#include <hip/hip_runtime.h>

constexpr int kMessages = 4;

__device__ void wait_for(int* sequence, int number) {
  if (threadIdx.x == 0) {
    while (__hip_atomic_load(sequence, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT) < number) {
    }
  }
  __syncthreads();
}

__device__ void announce(int* sequence, int number) {
  __syncthreads();
  if (threadIdx.x == 0)
    __hip_atomic_store(sequence, number, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
}

__global__ void mail(const int* in, int* box, int* sequence, int* out) {
  const int t = threadIdx.x;
  int sum = 0;
  for (int message = 1; message <= kMessages; ++message) {
    if (blockIdx.x == 0) {
#ifdef TWIN
      wait_for(&sequence[1], message - 1);
#endif
      box[t] = in[t] * message;  // FAULT: race-grid write
      announce(&sequence[0], message);
    } else {
      wait_for(&sequence[0], message);
      sum += box[63 - t];  // FAULT: race-grid other
      announce(&sequence[1], message);
    }
  }
  if (blockIdx.x == 1) out[t] = sum;
}
