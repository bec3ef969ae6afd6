// What multi-head latent attention keeps of a token: its normed latent, and the part of its key
// that is turned by the position.
//
// Formula   cache[slots[t]] = (RMSNorm(x[t][0 .. rank - 1]) * weight, rope(x[t][rank ..])); the
// norm
//           as in rms_norm.hip, the rotation of all of the rest as in rope.hip
// Layout    x: tokens x (rank + turned) float32, the down-projection's result; weight: rank
// float32;
//           slots, positions: tokens int32; frequencies: turned / 2 float32; cache: cache_slots x
//           (rank + turned) of float32, fp16 or bfloat16; row-major, contiguous, not overlapping.
//           Pairs are (i, i + turned / 2), or (2 i, 2 i + 1) when interleaved != 0.
// Grid      tokens blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= rank <= 2^20, turned even; epsilon a normal number > 0; positions exact in float32
//           up to 2^24; the sum of a latent's squares must not overflow; no slot twice.
// Policy    a token whose slot lies outside the cache is not stored.
// Rounding  as rms_norm.hip and rope.hip; what is stored is rounded once to the cache's format.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"
#include "include/lanes8.h"

struct Shape {
  int rank;
  int turned;
  int interleaved;
  int cache_slots;
};

template <class Element>
__device__ void latent_append(const float* x, const float* weight, const int* slots,
                              const int* positions, const float* frequencies, Element* cache,
                              const Shape& shape, float epsilon) {
  __shared__ float scratch[block_reduce::kMostWaves];
  const int slot = slots[blockIdx.x];
  if (slot < 0 || slot >= shape.cache_slots) return;  // the whole block
  const size_t width = static_cast<size_t>(shape.rank) + shape.turned;
  const float* from = x + blockIdx.x * width;
  Element* to = cache + slot * width;
  const int stride = blockDim.x;

  float squares = 0.0f;
  for (int i = threadIdx.x; i < shape.rank; i += stride) squares += from[i] * from[i];
  squares = block_reduce::over_block(squares, block_reduce::Sum{}, scratch);
  const float scale = rsqrtf(squares / static_cast<float>(shape.rank) + epsilon);
  for (int i = threadIdx.x; i < shape.rank; i += stride) {
    lanes8::store(to + i, from[i] * scale * weight[i]);
  }

  const int pairs = shape.turned / 2;
  const float position = static_cast<float>(positions[blockIdx.x]);
  for (int i = threadIdx.x; i < pairs; i += stride) {
    const int first = shape.rank + (shape.interleaved ? 2 * i : i);
    const int second = shape.rank + (shape.interleaved ? 2 * i + 1 : i + pairs);
    float sine;
    float cosine;
    sincosf(position * frequencies[i], &sine, &cosine);
    lanes8::store(to + first, from[first] * cosine - from[second] * sine);
    lanes8::store(to + second, from[first] * sine + from[second] * cosine);
  }
}

extern "C" __global__ __launch_bounds__(1024) void latent_append_f32(
    const float* x, const float* weight, const int* slots, const int* positions,
    const float* frequencies, float* cache, int rank, int turned, int interleaved, int cache_slots,
    float epsilon) {
  latent_append(x, weight, slots, positions, frequencies, cache,
                {rank, turned, interleaved, cache_slots}, epsilon);
}

extern "C" __global__ __launch_bounds__(1024) void latent_append_f16(
    const float* x, const float* weight, const int* slots, const int* positions,
    const float* frequencies, __half* cache, int rank, int turned, int interleaved, int cache_slots,
    float epsilon) {
  latent_append(x, weight, slots, positions, frequencies, cache,
                {rank, turned, interleaved, cache_slots}, epsilon);
}

extern "C" __global__ __launch_bounds__(1024) void latent_append_bf16(
    const float* x, const float* weight, const int* slots, const int* positions,
    const float* frequencies, __hip_bfloat16* cache, int rank, int turned, int interleaved,
    int cache_slots, float epsilon) {
  latent_append(x, weight, slots, positions, frequencies, cache,
                {rank, turned, interleaved, cache_slots}, epsilon);
}
