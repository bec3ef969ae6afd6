// Dynamic shared memory carved into doubles, ints and bytes, widest first, so that every part is
// aligned and none overlaps another.
// RUN: --kernel reverse --grid 1 --block 65 --shared 845 --arg f64[65]=uniform(-1,1)
// RUN: --arg i32[65]=iota --arg f64[65]=uninit
#include <hip/hip_runtime.h>

alignas(8) extern __shared__ unsigned char carved[];

__global__ void reverse(const double* values, const int* keys, double* out) {
  const int n = blockDim.x;
  const int tid = threadIdx.x;
  auto* const doubles = reinterpret_cast<double*>(carved);
  auto* const ints = reinterpret_cast<int*>(doubles + n);
  auto* const bytes = reinterpret_cast<unsigned char*>(ints + n);
  doubles[tid] = values[tid];
  ints[tid] = keys[tid];
  bytes[tid] = static_cast<unsigned char>(keys[tid] % 3);
  __syncthreads();
  const int other = n - 1 - tid;
  out[tid] = doubles[other] * ints[other] + bytes[other];
}
