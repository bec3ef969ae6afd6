// Adds the parts of a matrix product whose depth was split among blocks.
//
// Formula   c[b] = alpha (part[b][0] + part[b][1] + ...) + beta c[b]; with beta = 0, c is not read
// Layout    partials: batch x splits x elements float32; c: batch x elements of float32, fp16 or
//           bfloat16; contiguous, not overlapping.
// Grid      x: one thread an element; y: batch. Block: at most 256 threads.
// Limits    1 <= elements < 2^40, splits >= 1.
// Rounding  one serial sum over the splits in float32; c is rounded once to its format.

#include <hip/hip_runtime.h>

#include "include/lanes8.h"

template <class Element>
__device__ void combine(const float* partials, Element* c, size_t elements, int splits, float alpha,
                        float beta) {
  const size_t at = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at >= elements) return;
  const float* parts = partials + blockIdx.y * splits * elements + at;
  float sum = parts[0];
  for (int split = 1; split < splits; ++split) sum += parts[split * elements];
  Element* to = c + blockIdx.y * elements + at;
  const float before = beta == 0.0f ? 0.0f : beta * lanes8::widen(*to);
  lanes8::store(to, alpha * sum + before);
}

extern "C" __global__ __launch_bounds__(256) void gemm_combine_f32(const float* partials, float* c,
                                                                   size_t elements, int splits,
                                                                   float alpha, float beta) {
  combine(partials, c, elements, splits, alpha, beta);
}

extern "C" __global__ __launch_bounds__(256) void gemm_combine_f16(const float* partials, __half* c,
                                                                   size_t elements, int splits,
                                                                   float alpha, float beta) {
  combine(partials, c, elements, splits, alpha, beta);
}

extern "C" __global__ __launch_bounds__(256) void gemm_combine_bf16(const float* partials,
                                                                    __hip_bfloat16* c,
                                                                    size_t elements, int splits,
                                                                    float alpha, float beta) {
  combine(partials, c, elements, splits, alpha, beta);
}
