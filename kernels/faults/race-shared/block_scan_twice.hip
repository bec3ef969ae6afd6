// Two block-wide scans one after the other through one array of wave totals: a fast wave stores its
// total of the second scan while a slow one still adds those of the first. The twin has a barrier
// between them.
// RUN: --kernel scan_two --grid 1 --block 256 --arg i32[256]=iota --arg i32[256]=ones
// RUN: --arg i32[256]=uninit
#include <hip/hip_runtime.h>

__device__ int block_scan(int value, int* totals) {
  const int lane = threadIdx.x % warpSize;
  const int wave = threadIdx.x / warpSize;
  int sum = value;
  for (int distance = 1; distance < warpSize; distance *= 2) {
    const int left = __shfl_up(sum, distance);
    if (lane >= distance) sum += left;
  }
  if (lane == warpSize - 1) totals[wave] = sum;  // FAULT: race-shared write
  __syncthreads();
  for (int w = 0; w < wave; ++w) sum += totals[w];  // FAULT: race-shared other
  return sum;
}

__global__ void scan_two(const int* a, const int* b, int* out) {
  __shared__ int totals[8];
  const int first = block_scan(a[threadIdx.x], totals);
#ifdef TWIN
  __syncthreads();
#endif
  const int second = block_scan(b[threadIdx.x], totals);
  out[threadIdx.x] = first + second;
}
