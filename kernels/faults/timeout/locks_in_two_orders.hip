// Two blocks take two locks in opposite orders and meet in the middle, each holding what the other
// wants (the counter makes sure that they meet). The twin takes both in one order.
// RUN: --kernel transfer --grid 2 --block 1 --arg i32[2]=zeros --arg i32[1]=zeros
// RUN: --arg i32[2]=zeros
// TIMEOUT: 1
#include <hip/hip_runtime.h>

__device__ void lock(int* mutex) {
  while (atomicCAS(mutex, 0, 1) != 0) __builtin_amdgcn_s_sleep(1);  // FAULT: timeout|deadlock at
  __threadfence();
}

__device__ void unlock(int* mutex) {
  __threadfence();
  atomicExch(mutex, 0);
}

__global__ void transfer(int* mutexes, int* holding, int* balances) {
#ifndef TWIN
  const int first = blockIdx.x;
  lock(&mutexes[first]);
  atomicAdd(holding, 1);
  while (atomicAdd(holding, 0) < 2) __builtin_amdgcn_s_sleep(1);
#else
  const int first = 0;
  lock(&mutexes[first]);
  atomicAdd(holding, 1);
#endif
  lock(&mutexes[1 - first]);
  balances[0] -= 1;
  balances[1] += 1;
  unlock(&mutexes[1 - first]);
  unlock(&mutexes[first]);
}
