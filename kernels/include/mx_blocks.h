// OCP MX blocks: 32 elements of a small float under one E8M0 scale. Interface as in ggml_blocks.h.
//
// Layout    the scale's byte, then the 32 codes as one little-endian bit stream: code i at bits
//           w i .. w i + w - 1 of it, w bits an element. (The specification leaves this open.)
// Formula   2^(s - 127) * element; s = 255 makes the block NaN.
// Rounding  once, where scale times element leaves float32's normal range; else exact.
// Source    OCP Microscaling Formats (MX) 1.0, sections 5 and 6.
#pragma once

#include <hip/hip_runtime.h>

#include "include/small_floats.h"

namespace quantised {

template <class Element>
struct BlockMx {
  unsigned char scale;
  unsigned char codes[4 * Element::kBits];
};
static_assert(sizeof(BlockMx<small_floats::E2M1>) == 17, "the format's block size");
static_assert(sizeof(BlockMx<small_floats::E2M3>) == 25, "the format's block size");
static_assert(sizeof(BlockMx<small_floats::E4M3>) == 33, "the format's block size");

template <class Element>
struct Mx {
  using Block = BlockMx<Element>;
  static constexpr int kElements = 32;

  // N is a multiple of 4, whose codes end on a byte in every width.
  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    static_assert(N % 4 == 0, "four codes of any width fill whole bytes");
    constexpr int kQuad = Element::kBits / 2;  // bytes of four codes
    constexpr int kMask = (1 << Element::kBits) - 1;
    const float scale = block.scale == 255
                            ? __builtin_nanf("")
                            : small_floats::power_of_two(static_cast<int>(block.scale) - 127);
    const unsigned char* codes = block.codes + first / 4 * kQuad;
    for (int quad = 0; quad < N / 4; ++quad) {
      unsigned bits = 0;
      for (int byte = 0; byte < kQuad; ++byte) {
        bits |= static_cast<unsigned>(codes[quad * kQuad + byte]) << (8 * byte);
      }
      for (int j = 0; j < 4; ++j) {
        const int code = static_cast<int>(bits >> (j * Element::kBits) & kMask);
        values[quad * 4 + j] = scale * Element::value(code);
      }
    }
  }
};

}  // namespace quantised
