// Dynamic shared memory carved into an odd number of ints and then doubles: the doubles start at a
// multiple of 4 that is none of 8. A ds_read_b64 needs 8 unless unaligned access is on. The twin
// rounds the offset up.
// RUN: --kernel weighted --grid 1 --block 64 --shared 776 --arg i32[65]=iota
// RUN: --arg f64[64]=uniform(0,1) --arg f64[64]=uninit
#include <hip/hip_runtime.h>

alignas(8) extern __shared__ unsigned char carved[];

__global__ void weighted(const int* keys, const double* weights, double* out) {
  const int tid = threadIdx.x;
  const int count = blockDim.x + 1;
  int* const ints = reinterpret_cast<int*>(carved);
#ifndef TWIN
  const int offset = count * static_cast<int>(sizeof(int));
#else
  const int offset = (count * static_cast<int>(sizeof(int)) + 7) / 8 * 8;
#endif
  double* const doubles = reinterpret_cast<double*>(carved + offset);
  ints[tid] = keys[tid];
  if (tid == 0) ints[count - 1] = keys[count - 1];
  doubles[tid] = weights[tid];  // FAULT: misaligned-access at
  __syncthreads();
  out[tid] = ints[count - 1 - tid] * doubles[count - 2 - tid];  // FAULT: misaligned-access at
}
