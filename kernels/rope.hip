// Rotary position embedding: each pair of a head's elements is turned by an angle that grows with
// the token's position.
//
// Formula   theta = positions[t] * frequencies[i], i < rotated / 2
//           (x0, x1) > (x0 cos theta - x1 sin theta, x0 sin theta + x1 cos theta)
// Layout    x and y: tokens x heads x size, float32, row-major; positions: tokens int32;
//           frequencies: rotated / 2 float32. Pair i is the elements i and i + rotated / 2
//           ("half"), or 2 i and 2 i + 1 (interleaved != 0). Elements from `rotated` on are copied.
//           y may be x.
// Grid      one thread a pair or copied element; any one-dimensional grid that covers tokens *
//           heads * (size - rotated / 2). Block: at most 256 threads.
// Limits    rotated even, 0 <= rotated <= size; the number of threads < 2^31; positions exact in
//           float32 up to 2^24.
// Rounding  the frequencies come from the host, rounded once from float64: base^(-2 i / rotated)
//           computed here would carry the exponent's rounding as well. theta is rounded once: the
//           error is linear in the position.

#include <hip/hip_runtime.h>

extern "C" __global__ __launch_bounds__(256) void rope(const float* x, const int* positions,
                                                       const float* frequencies, float* y,
                                                       int tokens, int heads, int size, int rotated,
                                                       int interleaved) {
  const int pairs = rotated / 2;
  const int work = size - pairs;  // of a head: its pairs, then the elements to copy
  const size_t thread = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  const size_t head = thread / work;
  if (head >= static_cast<size_t>(tokens) * heads) return;
  const int i = thread % work;
  const float* from = x + head * size;
  float* to = y + head * size;
  if (i >= pairs) {
    to[i + pairs] = from[i + pairs];
    return;
  }

  const int first = interleaved ? 2 * i : i;
  const int second = interleaved ? 2 * i + 1 : i + pairs;
  const float theta = static_cast<float>(positions[head / heads]) * frequencies[i];
  float sine;
  float cosine;
  sincosf(theta, &sine, &cosine);
  const float x0 = from[first];
  const float x1 = from[second];
  to[first] = x0 * cosine - x1 * sine;
  to[second] = x0 * sine + x1 * cosine;
}
