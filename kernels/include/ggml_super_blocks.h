// GGML's super-blocks of 256 values, the K types. Interface as in ggml_blocks.h.
//
// Layout    structs below, little-endian. Sub-blocks of 16 values (Q4_K and Q5_K: 32) have small
//           integer scales s under the super-block's scale d, some minima m under dmin:
//             Q2_K  (d s) q - (dmin m), q in 0..3     Q4_K  (d s) q - (dmin m), q in 0..15
//             Q3_K  (d (s - 32)) (q - 4), q in 0..7   Q5_K  (d s) q - (dmin m), q in 0..31
//             Q6_K  (d s) (q - 32), q in 0..63
//           Two-bit codes: each run of 32 bytes holds 128 values, 32 for each bit position, lowest
//           first; nibbles: each run of 32 bytes holds 64 values, low halves first; single bits:
//           byte i holds bit j for value 32 j + i.
// Rounding  none but that of the final subtraction: products d s q need at most 24 bits.
#pragma once

#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

namespace quantised {

constexpr int kSuperBlock = 256;

struct BlockQ2_K {
  unsigned char scales[16];  // scale in the low half, minimum in the high one
  unsigned char codes[64];
  __half scale;
  __half minimum;
};
static_assert(sizeof(BlockQ2_K) == 84, "the format's block size");

struct BlockQ3_K {
  unsigned char third[32];  // third bits of the codes
  unsigned char codes[64];
  unsigned char scales[12];  // nibbles of the 16 scales, then their top bit pairs
  __half scale;
};
static_assert(sizeof(BlockQ3_K) == 110, "the format's block size");

struct BlockQ4_K {
  __half scale;
  __half minimum;
  unsigned char scales[12];
  unsigned char codes[128];
};
static_assert(sizeof(BlockQ4_K) == 144, "the format's block size");

struct BlockQ5_K {
  __half scale;
  __half minimum;
  unsigned char scales[12];
  unsigned char fifth[32];
  unsigned char codes[128];
};
static_assert(sizeof(BlockQ5_K) == 176, "the format's block size");

struct BlockQ6_K {
  unsigned char low[128];  // nibbles; each half of 128 values has 64 bytes
  unsigned char top[64];   // bit pairs; each half has 32 bytes
  signed char scales[16];
  __half scale;
};
static_assert(sizeof(BlockQ6_K) == 210, "the format's block size");

struct ScaleAndMinimum {
  int scale;
  int minimum;
};

// Entry `sub` of the eight 6-bit scales and minima that Q4_K and Q5_K pack into 12 bytes: 0..3 in
// the low six bits of bytes 0..3 and 4..7, whose top bit pairs belong to 4..7, whose low nibbles
// share bytes 8..11.
__device__ inline ScaleAndMinimum six_bit_entry(const unsigned char (&packed)[12], int sub) {
  if (sub < 4) return {packed[sub] & 63, packed[sub + 4] & 63};
  const int shared = packed[sub + 4];
  return {(shared & 15) | packed[sub - 4] >> 6 << 4, shared >> 4 | packed[sub] >> 6 << 4};
}

struct Q2_K {
  using Block = BlockQ2_K;
  static constexpr int kElements = kSuperBlock;

  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    const int entry = block.scales[first / 16];
    const float scale = __half2float(block.scale) * static_cast<float>(entry & 15);
    const float minimum = __half2float(block.minimum) * static_cast<float>(entry >> 4);
    const Bytes<N> codes = bytes<N>(block.codes + first / 128 * 32 + first % 32);
    const int shift = first / 32 % 4 * 2;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      values[j] = scale * static_cast<float>(codes[j] >> shift & 3) - minimum;
    }
  }
};

struct Q3_K {
  using Block = BlockQ3_K;
  static constexpr int kElements = kSuperBlock;

  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    const int sub = first / 16;
    const int low = block.scales[sub % 8] >> (sub / 8 * 4) & 15;
    const int top = block.scales[8 + sub % 4] >> (sub / 4 * 2) & 3;
    const float scale = __half2float(block.scale) * static_cast<float>((low | top << 4) - 32);
    const Bytes<N> codes = bytes<N>(block.codes + first / 128 * 32 + first % 32);
    const Bytes<N> third = bytes<N>(block.third + first % 32);
    const int shift = first / 32 % 4 * 2;
    const int bit = first / 32;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const int three_bits = (codes[j] >> shift & 3) | (third[j] >> bit & 1) << 2;
      values[j] = scale * static_cast<float>(three_bits - 4);
    }
  }
};

struct Q4_K {
  using Block = BlockQ4_K;
  static constexpr int kElements = kSuperBlock;

  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    const ScaleAndMinimum entry = six_bit_entry(block.scales, first / 32);
    const float scale = __half2float(block.scale) * static_cast<float>(entry.scale);
    const float minimum = __half2float(block.minimum) * static_cast<float>(entry.minimum);
    const Bytes<N> codes = bytes<N>(block.codes + first / 64 * 32 + first % 32);
    const int shift = first / 32 % 2 * 4;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      values[j] = scale * static_cast<float>(codes[j] >> shift & 15) - minimum;
    }
  }
};

struct Q5_K {
  using Block = BlockQ5_K;
  static constexpr int kElements = kSuperBlock;

  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    const ScaleAndMinimum entry = six_bit_entry(block.scales, first / 32);
    const float scale = __half2float(block.scale) * static_cast<float>(entry.scale);
    const float minimum = __half2float(block.minimum) * static_cast<float>(entry.minimum);
    const Bytes<N> codes = bytes<N>(block.codes + first / 64 * 32 + first % 32);
    const Bytes<N> fifth = bytes<N>(block.fifth + first % 32);
    const int shift = first / 32 % 2 * 4;
    const int bit = first / 32;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const int packed = (codes[j] >> shift & 15) | (fifth[j] >> bit & 1) << 4;
      values[j] = scale * static_cast<float>(packed) - minimum;
    }
  }
};

struct Q6_K {
  using Block = BlockQ6_K;
  static constexpr int kElements = kSuperBlock;

  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    const float scale = __half2float(block.scale) * static_cast<float>(block.scales[first / 16]);
    const Bytes<N> low = bytes<N>(block.low + first / 128 * 64 + first % 64);
    const Bytes<N> top = bytes<N>(block.top + first / 128 * 32 + first % 32);
    const int low_shift = first / 64 % 2 * 4;
    const int top_shift = first / 32 % 4 * 2;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const int code = (low[j] >> low_shift & 15) | (top[j] >> top_shift & 3) << 4;
      values[j] = scale * static_cast<float>(code - 32);
    }
  }
};

}  // namespace quantised
