// Rotary position embedding: each pair of a head's elements is turned by an angle that grows with
// the token's position.
//
// Formula   theta = positions[t] * frequencies[i], i < rotated / 2
//           (x0, x1) > (x0 cos theta - x1 sin theta, x0 sin theta + x1 cos theta)
// Layout    x and y: tokens x heads x size of float32, fp16 or bfloat16, row-major; positions:
// tokens
//           int32;
//           frequencies: rotated / 2 float32. Pair i is the elements i and i + rotated / 2
//           ("half"), or 2 i and 2 i + 1 (interleaved != 0). Elements from `rotated` on are copied.
//           y may be x.
// Grid      one thread a pair or copied element; any one-dimensional grid that covers tokens *
//           heads * (size - rotated / 2). Block: at most 256 threads.
// Limits    rotated even, 0 <= rotated <= size; the number of threads < 2^31; positions exact in
//           float32 up to 2^24.
// Rounding  the frequencies come from the host, rounded once from float64: base^(-2 i / rotated)
//           computed here would carry the exponent's rounding as well. theta is rounded once: the
//           error is linear in the position. Elements of 16 bits are widened, and rounded once at
//           the end.

#include <hip/hip_runtime.h>

#include "include/lanes8.h"

struct Shape {
  int tokens;
  int heads;
  int size;
  int rotated;
  int interleaved;
};

template <class Element>
__device__ void turn(const Element* x, const int* positions, const float* frequencies, Element* y,
                     const Shape& shape) {
  const int pairs = shape.rotated / 2;
  const int work = shape.size - pairs;  // of a head: its pairs, then the elements to copy
  const size_t thread = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t head = thread / work;
  if (head >= static_cast<size_t>(shape.tokens) * shape.heads) return;
  const int i = thread % work;
  const Element* from = x + head * shape.size;
  Element* to = y + head * shape.size;
  if (i >= pairs) {
    to[i + pairs] = from[i + pairs];
    return;
  }

  const int first = shape.interleaved ? 2 * i : i;
  const int second = shape.interleaved ? 2 * i + 1 : i + pairs;
  const float theta = static_cast<float>(positions[head / shape.heads]) * frequencies[i];
  float sine;
  float cosine;
  sincosf(theta, &sine, &cosine);
  const float x0 = lanes8::widen(from[first]);
  const float x1 = lanes8::widen(from[second]);
  lanes8::store(to + first, x0 * cosine - x1 * sine);
  lanes8::store(to + second, x0 * sine + x1 * cosine);
}

extern "C" __global__ __launch_bounds__(256) void rope(const float* x, const int* positions,
                                                       const float* frequencies, float* y,
                                                       int tokens, int heads, int size, int rotated,
                                                       int interleaved) {
  turn(x, positions, frequencies, y, {tokens, heads, size, rotated, interleaved});
}

extern "C" __global__ __launch_bounds__(256) void rope_f16(const __half* x, const int* positions,
                                                           const float* frequencies, __half* y,
                                                           int tokens, int heads, int size,
                                                           int rotated, int interleaved) {
  turn(x, positions, frequencies, y, {tokens, heads, size, rotated, interleaved});
}

extern "C" __global__ __launch_bounds__(256) void rope_bf16(
    const __hip_bfloat16* x, const int* positions, const float* frequencies, __hip_bfloat16* y,
    int tokens, int heads, int size, int rotated, int interleaved) {
  turn(x, positions, frequencies, y, {tokens, heads, size, rotated, interleaved});
}
