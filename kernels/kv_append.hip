// Appends a step's keys and values to a cache; the keys are turned by their position on the way.
//
// Formula   k_cache[slots[t]] = rope(k[t]), v_cache[slots[t]] = v[t]; the rotation as in rope.hip
// Layout    k: tokens x heads x size, v: tokens x heads x value_size, float32; k_cache: cache_slots
//           x heads x size, v_cache: cache_slots x heads x value_size, of float32, fp16 or
//           bfloat16; row-major, contiguous, the caches overlapping nothing; slots, positions:
//           tokens int32; frequencies: rotated / 2 float32. Pairs are (i, i + rotated / 2), or
//           (2 i, 2 i + 1) when interleaved != 0.
// Grid      one thread a pair, a key's other element or a value's element; one-dimensional. Block:
//           at most 256 threads.
// Limits    rotated even, 0 <= rotated <= size; fewer than 2^31 threads; positions exact in
//           float32 up to 2^24; no slot twice.
// Policy    a token whose slot lies outside the cache is not stored: -1 is for padding.
// Rounding  as rope.hip; what is stored is rounded once to the cache's format.

#include <hip/hip_runtime.h>

#include "include/lanes8.h"

struct Shape {
  int tokens;
  int heads;
  int size;
  int value_size;
  int rotated;
  int interleaved;
  int cache_slots;
};

template <class Element>
__device__ void kv_append(const float* k, const float* v, const int* slots, const int* positions,
                          const float* frequencies, Element* k_cache, Element* v_cache,
                          const Shape& shape) {
  const int pairs = shape.rotated / 2;
  const int key_work = shape.size - pairs;  // of a head: its pairs, then the elements to copy
  const int work = key_work + shape.value_size;
  const size_t thread = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t head = thread / work;
  if (head >= static_cast<size_t>(shape.tokens) * shape.heads) return;
  const int token = head / shape.heads;
  const int slot = slots[token];
  if (slot < 0 || slot >= shape.cache_slots) return;
  const size_t place = static_cast<size_t>(slot) * shape.heads + head % shape.heads;
  int i = thread % work;

  if (i >= key_work) {
    i -= key_work;
    lanes8::store(v_cache + place * shape.value_size + i, v[head * shape.value_size + i]);
    return;
  }
  const float* from = k + head * shape.size;
  Element* to = k_cache + place * shape.size;
  if (i >= pairs) {
    lanes8::store(to + i + pairs, from[i + pairs]);
    return;
  }
  const int first = shape.interleaved ? 2 * i : i;
  const int second = shape.interleaved ? 2 * i + 1 : i + pairs;
  const float theta = static_cast<float>(positions[token]) * frequencies[i];
  float sine;
  float cosine;
  sincosf(theta, &sine, &cosine);
  const float x0 = from[first];
  const float x1 = from[second];
  lanes8::store(to + first, x0 * cosine - x1 * sine);
  lanes8::store(to + second, x0 * sine + x1 * cosine);
}

extern "C" __global__ __launch_bounds__(256) void kv_append_f32(
    const float* k, const float* v, const int* slots, const int* positions,
    const float* frequencies, float* k_cache, float* v_cache, int tokens, int heads, int size,
    int value_size, int rotated, int interleaved, int cache_slots) {
  kv_append(k, v, slots, positions, frequencies, k_cache, v_cache,
            {tokens, heads, size, value_size, rotated, interleaved, cache_slots});
}

extern "C" __global__ __launch_bounds__(256) void kv_append_f16(
    const float* k, const float* v, const int* slots, const int* positions,
    const float* frequencies, __half* k_cache, __half* v_cache, int tokens, int heads, int size,
    int value_size, int rotated, int interleaved, int cache_slots) {
  kv_append(k, v, slots, positions, frequencies, k_cache, v_cache,
            {tokens, heads, size, value_size, rotated, interleaved, cache_slots});
}

extern "C" __global__ __launch_bounds__(256) void kv_append_bf16(
    const float* k, const float* v, const int* slots, const int* positions,
    const float* frequencies, __hip_bfloat16* k_cache, __hip_bfloat16* v_cache, int tokens,
    int heads, int size, int value_size, int rotated, int interleaved, int cache_slots) {
  kv_append(k, v, slots, positions, frequencies, k_cache, v_cache,
            {tokens, heads, size, value_size, rotated, interleaved, cache_slots});
}
