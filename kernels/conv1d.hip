// Convolutions over time, as a conformer's encoder has them: depthwise and pointwise.
//
// Formula   depthwise: y[c][t] = bias[c] + sum_j weight[c][j] * x[c][t + j - padding], zeros
// outside
//           pointwise: y[o][t] = bias[o] + sum_i weight[o][i] * x[i][t]
// Layout    x: batch x channels x time, y: batch x channels (pointwise: outputs) x time_out,
//           weight: channels x taps (pointwise: outputs x channels), bias: one a row of weight,
//           float32, row-major, contiguous. time_out = time + 2 padding - taps + 1; pointwise:
//           time.
// Grid      depthwise: batch * channels * ceil(time_out / 256) blocks of 256 threads; pointwise:
//           batch * ceil(outputs / 16) * ceil(time / 64) blocks of 256; one-dimensional.
// Limits    all sizes below 2^31 - 64, 1 <= taps <= time + 2 padding.
// Rounding  one serial sum an element (fused where the compiler contracts), the bias added last.

#include <hip/hip_runtime.h>

#include "include/row_tile.h"

constexpr int kThreads = 256;

extern "C" __global__ __launch_bounds__(kThreads) void conv1d_depthwise(const float* x,
                                                                        const float* weight,
                                                                        const float* bias, float* y,
                                                                        int channels, int time,
                                                                        int taps, int padding) {
  const int time_out = time + 2 * padding - taps + 1;
  const int tiles = (time_out - 1) / kThreads + 1;
  const int t = blockIdx.x % tiles * kThreads + threadIdx.x;
  if (t >= time_out) return;
  const int row = blockIdx.x / tiles;  // of batch and channel
  const int channel = row % channels;
  const float* from = x + static_cast<size_t>(row) * time;
  const float* taken = weight + static_cast<size_t>(channel) * taps;
  const int first = max(padding - t, 0);
  const int end = min(taps, time + padding - t);
  float sum = 0.0f;
  for (int j = first; j < end; ++j) sum += taken[j] * from[t + j - padding];
  y[static_cast<size_t>(row) * time_out + t] = sum + bias[channel];
}

extern "C" __global__ __launch_bounds__(kThreads) void conv1d_pointwise(const float* x,
                                                                        const float* weight,
                                                                        const float* bias, float* y,
                                                                        int channels, int outputs,
                                                                        int time) {
  static_assert(row_tile::kThreads == kThreads, "one block size for both");
  __shared__ row_tile::Tiles tiles;
  const int across = (time - 1) / row_tile::kColumns + 1;
  const int down = (outputs - 1) / row_tile::kRows + 1;
  const int column = blockIdx.x % across * row_tile::kColumns;
  const int row = blockIdx.x / across % down * row_tile::kRows;
  const size_t item = blockIdx.x / across / down;
  const float* from = x + item * channels * time;

  float sums[row_tile::kSide] = {};
  row_tile::multiply(
      tiles, channels,
      [&](int r, int p) {
        const bool inside = row + r < outputs && p < channels;
        return inside ? weight[static_cast<size_t>(row + r) * channels + p] : 0.0f;
      },
      [&](int p, int c) {
        const bool inside = p < channels && column + c < time;
        return inside ? from[static_cast<size_t>(p) * time + column + c] : 0.0f;
      },
      sums);

  const int output = row + row_tile::own_row();
  if (output >= outputs) return;
  float* to = y + (item * outputs + output) * time;
  for (int c = 0; c < row_tile::kSide; ++c) {
    const int t = column + row_tile::own_column() + c;
    if (t < time) to[t] = sums[c] + bias[output];
  }
}
