// Appends a step's keys and values to a cache of Q8_0 blocks; the keys are turned by their position
// on the way.
//
// Formula   of each run of 32 values x: scale = max |x| / 127, rounded to fp16, and codes round(x /
//           scale) in -127..127; x are rope(k[t]), as in rope.hip, and v[t]
// Layout    k: tokens x heads x size, v: tokens x heads x value_size, float32; k_cache: cache_slots
//           x heads x size / 32 blocks, v_cache: likewise with value_size, 34 bytes a block; slots,
//           positions, frequencies and pairs as in kv_append.hip.
// Grid      one thread a block of 32 values; one-dimensional. Block: at most 256 threads.
// Limits    size and value_size multiples of 32, rotated even, 0 <= rotated <= size; fewer than
// 2^31
//           threads; positions exact in float32 up to 2^24; no slot twice.
// Policy    a token whose slot lies outside the cache is not stored. A NaN or an infinity makes its
//           block NaN; beyond 127 * 65504 values are cut off.
// Rounding  codes are those of the scale as it is stored: half a scale for each value.

#include <hip/hip_runtime.h>

#include "include/ggml_blocks.h"

constexpr int kValues = 32;
constexpr float kLargestCode = 127.0f;
constexpr float kLargestHalf = 65504.0f;

struct Shape {
  int tokens;
  int heads;
  int size;
  int value_size;
  int rotated;
  int interleaved;
  int cache_slots;
};

// Element i of a key whose pairs are turned by `position` times their frequency.
__device__ float turned(const float* key, int i, float position, const float* frequencies,
                        const Shape& shape) {
  if (i >= shape.rotated) return key[i];
  const int pairs = shape.rotated / 2;
  const bool second = shape.interleaved ? i % 2 == 1 : i >= pairs;
  const int pair = shape.interleaved ? i / 2 : i % pairs;
  const int distance = shape.interleaved ? 1 : pairs;
  float sine;
  float cosine;
  sincosf(position * frequencies[pair], &sine, &cosine);
  if (second) return key[i - distance] * sine + key[i] * cosine;
  return key[i] * cosine - key[i + distance] * sine;
}

__device__ void quantise(const float (&values)[kValues], quantised::BlockQ8_0& block) {
  float largest = 0.0f;
  float poison = 0.0f;  // NaN if any value is NaN or infinite, which fmaxf would pass over
  for (int j = 0; j < kValues; ++j) {
    largest = fmaxf(largest, fabsf(values[j]));
    poison += values[j] - values[j];
  }
  const float wanted = fminf(largest / kLargestCode, kLargestHalf);
  block.scale = __float2half(poison == 0.0f ? wanted : poison);
  const float scale = __half2float(block.scale);
  for (int j = 0; j < kValues; ++j) {
    const float code = scale > 0.0f ? rintf(values[j] / scale) : 0.0f;
    block.codes[j] = static_cast<signed char>(fmaxf(-kLargestCode, fminf(code, kLargestCode)));
  }
}

extern "C" __global__ __launch_bounds__(256) void kv_append_q8_0(
    const float* k, const float* v, const int* slots, const int* positions,
    const float* frequencies, quantised::BlockQ8_0* k_cache, quantised::BlockQ8_0* v_cache,
    int tokens, int heads, int size, int value_size, int rotated, int interleaved,
    int cache_slots) {
  const Shape shape = {tokens, heads, size, value_size, rotated, interleaved, cache_slots};
  const int key_blocks = size / kValues;
  const int value_blocks = value_size / kValues;
  const int work = key_blocks + value_blocks;  // of a head
  const size_t thread = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t head = thread / work;
  if (head >= static_cast<size_t>(tokens) * heads) return;
  const int token = head / heads;
  const int slot = slots[token];
  if (slot < 0 || slot >= cache_slots) return;
  const size_t place = static_cast<size_t>(slot) * heads + head % heads;
  const int block = thread % work;

  float values[kValues];
  if (block < key_blocks) {
    const float position = static_cast<float>(positions[token]);
    for (int j = 0; j < kValues; ++j) {
      values[j] = turned(k + head * size, block * kValues + j, position, frequencies, shape);
    }
    quantise(values, k_cache[place * key_blocks + block]);
    return;
  }
  const float* from = v + head * value_size + (block - key_blocks) * kValues;
  for (int j = 0; j < kValues; ++j) values[j] = from[j];
  quantise(values, v_cache[place * value_blocks + block - key_blocks]);
}
