// Joins the partial results of attention whose keys were split among blocks.
//
// Formula   o[r] = sum_s exp(m_s - m) a_s / sum_s exp(m_s - m) l_s, m = max_s m_s
// Layout    partials: rows x splits x (value_size + 2) float32: the weighted values' sum a, the
//           largest logit m and the sum l of the weights relative to it; o: rows x value_size
//           float32; row-major, contiguous, not overlapping.
// Grid      one thread an element of o, one-dimensional. Block: at most 256 threads.
// Limits    rows * value_size < 2^31; splits >= 1.
// Policy    a split without keys has m = -inf and counts for nothing; a row without any is 0; NaN
//           stays.
// Rounding  serial sums over the splits.

#include <hip/hip_runtime.h>

extern "C" __global__ __launch_bounds__(256) void attention_combine(const float* partials, float* o,
                                                                    int rows, int splits,
                                                                    int value_size) {
  const size_t place = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (place >= static_cast<size_t>(rows) * value_size) return;
  const int element = place % value_size;
  const size_t width = static_cast<size_t>(value_size) + 2;
  const float* row = partials + place / value_size * splits * width;

  float peak = -__builtin_huge_valf();
  for (int s = 0; s < splits; ++s) peak = fmaxf(peak, row[s * width + value_size]);
  const float shift = peak == -__builtin_huge_valf() ? 0.0f : peak;
  float total = 0.0f;
  float sum = 0.0f;
  for (int s = 0; s < splits; ++s) {
    const float share = expf(row[s * width + value_size] - shift);
    total += share * row[s * width + value_size + 1];
    sum += share * row[s * width + element];
  }
  o[place] = total == 0.0f ? 0.0f : sum / total;
}
