// Even and odd threads wait at different barriers. The hardware counts arrivals and lets both go;
// nothing says which writes are then visible to whom. The twin has one barrier for all.
// RUN: --kernel exchange --grid 1 --block 64 --arg f32[64]=uniform(-1,1) --arg f32[64]=uninit
#include <hip/hip_runtime.h>

__global__ void exchange(const float* in, float* out) {
  __shared__ float slots[64];
  const int tid = threadIdx.x;
#ifndef TWIN
  if (tid % 2 == 0) {
    slots[tid] = in[tid];
    __syncthreads();  // FAULT: barrier-divergence at other
  } else {
    slots[tid] = -in[tid];
    __syncthreads();  // FAULT: barrier-divergence at other
  }
#else
  slots[tid] = tid % 2 == 0 ? in[tid] : -in[tid];
  __syncthreads();
#endif
  out[tid] = slots[tid ^ 2];
}
