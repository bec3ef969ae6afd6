// Rows of Q8_0 blocks where attention_tiles.h expects rows of elements: a cache at a quarter of
// float32's size.
//
// Layout    a row of `size` values is size / 32 blocks of 34 bytes: scale (fp16), 32 signed bytes
// Limits    size a multiple of 32; rows at multiples of 2 bytes
#pragma once

#include "include/attention_tiles.h"
#include "include/ggml_blocks.h"

namespace quantised {

// Found by attention_tiles.h through its argument.
__device__ inline void copy_eight(float* to, const BlockQ8_0* row, int offset, int, bool) {
  float values[lanes8::kWidth];
  Q8_0::decode(row[offset / Q8_0::kElements], offset % Q8_0::kElements, values);
  lanes8::Floats eight;
  for (int i = 0; i < lanes8::kWidth; ++i) eight[i] = values[i];
  attention::put(to + offset, eight);
}

}  // namespace quantised
