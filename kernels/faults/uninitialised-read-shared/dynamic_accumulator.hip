// Column sums accumulated in dynamic shared memory that starts undefined: the launch's byte count
// reserves it and clears nothing. The twin clears it first.
// RUN: --kernel column_sums --grid 2 --block 64 --shared 256 --arg f32[1024]=uniform(-1,1)
// RUN: --arg f32[128]=uninit --arg i32=8
#include <hip/hip_runtime.h>

extern __shared__ float sums[];

__global__ void column_sums(const float* in, float* out, int rows) {
  const int column = blockIdx.x * blockDim.x + threadIdx.x;
  const int columns = gridDim.x * blockDim.x;
#ifdef TWIN
  sums[threadIdx.x] = 0.0f;
#endif
  for (int row = 0; row < rows; ++row) {
    sums[threadIdx.x] += in[row * columns + column];  // FAULT: uninitialised-read-shared at
  }
  out[column] = sums[threadIdx.x];
}
