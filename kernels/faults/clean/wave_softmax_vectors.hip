// Softmax of a row by one wave with vector loads and half storage: float4 in, two __half2 out, the
// other waves gone before.
// RUN: --kernel softmax --grid 2 --block 64 --arg f32[512]=normal --arg f16[512]=uninit
#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

__global__ void softmax(const float* in, __half* out) {
  const int lane = threadIdx.x % warpSize;
  const int wave = threadIdx.x / warpSize;
  const int rounds = 256 / (4 * warpSize);
  if (wave > 0) return;
  float4 v[2];
  float top = -INFINITY;
  for (int r = 0; r < rounds; ++r) {
    v[r] = reinterpret_cast<const float4*>(in + blockIdx.x * 256)[r * warpSize + lane];
    top = fmaxf(top, fmaxf(fmaxf(v[r].x, v[r].y), fmaxf(v[r].z, v[r].w)));
  }
  for (int d = warpSize / 2; d > 0; d /= 2) top = fmaxf(top, __shfl_xor(top, d));
  float sum = 0.0f;
  for (int r = 0; r < rounds; ++r) {
    v[r] =
        make_float4(expf(v[r].x - top), expf(v[r].y - top), expf(v[r].z - top), expf(v[r].w - top));
    sum += v[r].x + v[r].y + v[r].z + v[r].w;
  }
  for (int d = warpSize / 2; d > 0; d /= 2) sum += __shfl_xor(sum, d);
  auto* const row = reinterpret_cast<__half2*>(out + blockIdx.x * 256);
  for (int r = 0; r < rounds; ++r) {
    row[2 * (r * warpSize + lane)] = __floats2half2_rn(v[r].x / sum, v[r].y / sum);
    row[2 * (r * warpSize + lane) + 1] = __floats2half2_rn(v[r].z / sum, v[r].w / sum);
  }
}
