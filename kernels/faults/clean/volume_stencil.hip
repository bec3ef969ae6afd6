// Seven-point stencil over a volume, blocks of 8 by 4 by 4 with a halo in shared memory, edges
// clamped.
// RUN: --kernel blur --grid 2,2,1 --block 8,4,4 --arg f32[512]=uniform(-1,1) --arg f32[512]=uninit
// RUN: --arg i32=16 --arg i32=8 --arg i32=4
#include <hip/hip_runtime.h>

__device__ int clamped(int i, int n) { return i < 0 ? 0 : i >= n ? n - 1 : i; }

__global__ void blur(const float* in, float* out, int nx, int ny, int nz) {
  __shared__ float box[6][6][10];
  const int x0 = blockIdx.x * 8 - 1;
  const int y0 = blockIdx.y * 4 - 1;
  const int flat = (threadIdx.z * 4 + threadIdx.y) * 8 + threadIdx.x;
  for (int k = flat; k < 6 * 6 * 10; k += 128) {
    const int x = clamped(x0 + k % 10, nx);
    const int y = clamped(y0 + k / 10 % 6, ny);
    const int z = clamped(k / 60 - 1, nz);
    box[k / 60][k / 10 % 6][k % 10] = in[(z * ny + y) * nx + x];
  }
  __syncthreads();
  const int x = threadIdx.x + 1;
  const int y = threadIdx.y + 1;
  const int z = threadIdx.z + 1;
  const float sum = box[z][y][x - 1] + box[z][y][x + 1] + box[z][y - 1][x] + box[z][y + 1][x] +
                    box[z - 1][y][x] + box[z + 1][y][x];
  out[(threadIdx.z * ny + y0 + y) * nx + x0 + x] = sum / 6.0f;
}
