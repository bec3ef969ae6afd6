// GGML's blocks of 32 values: how their bytes become float32, in one place for every kernel.
//
// Interface  a format F has F::Block, the bytes of one block; F::kElements, the values in it; and
//            F::decode(block, first, values), which gives the N consecutive values from `first`
//            on. N divides 16 and `first` is a multiple of N, so that a call stays within one run
//            of codes: the same bit position in consecutive bytes.
// Layout     structs below, little-endian. Of 16 bytes of nibbles byte j holds code j in its low
//            and code j + 16 in its high half; fifth bits are bit j of a 32-bit word for code j.
//              Q4_0   scale * (q - 8), q in 0..15         Q4_1   scale * q + minimum
//              Q5_0   scale * (q - 16), q in 0..31        Q5_1   scale * q + minimum
//              Q8_0   scale * q, q in -128..127           MXFP4  2^(e - 127) * e2m1(q)
// Rounding   none but that of the final addition: the product of an 11-bit and an 8-bit significand
//            is exact in float32, so contraction to a fused operation changes nothing.
#pragma once

#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

#include "include/small_floats.h"

namespace quantised {

struct BlockQ4_0 {
  __half scale;
  unsigned char codes[16];
};
static_assert(sizeof(BlockQ4_0) == 18, "the format's block size");

struct BlockQ4_1 {
  __half scale;
  __half minimum;
  unsigned char codes[16];
};
static_assert(sizeof(BlockQ4_1) == 20, "the format's block size");

struct BlockQ5_0 {
  __half scale;
  unsigned char fifth[4];
  unsigned char codes[16];
};
static_assert(sizeof(BlockQ5_0) == 22, "the format's block size");

struct BlockQ5_1 {
  __half scale;
  __half minimum;
  unsigned char fifth[4];
  unsigned char codes[16];
};
static_assert(sizeof(BlockQ5_1) == 24, "the format's block size");

struct BlockQ8_0 {
  __half scale;
  signed char codes[32];
};
static_assert(sizeof(BlockQ8_0) == 34, "the format's block size");

struct BlockMxfp4 {
  unsigned char exponent;
  unsigned char codes[16];
};
static_assert(sizeof(BlockMxfp4) == 17, "the format's block size");

// N consecutive codes, read as one vector at any address.
template <int N>
using Bytes = unsigned char __attribute__((ext_vector_type(N)));

template <int N>
struct __attribute__((packed)) PackedBytes {
  Bytes<N> value;
};

template <int N>
__device__ Bytes<N> bytes(const void* from) {
  return static_cast<const PackedBytes<N>*>(from)->value;
}

// The 32 fifth bits; a block is aligned to 2 bytes only.
__device__ inline unsigned fifth_bits(const unsigned char (&bytes)[4]) {
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<unsigned>(bytes[3]) << 24;
}

struct Q4_0 {
  using Block = BlockQ4_0;
  static constexpr int kElements = 32;

  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    const float scale = __half2float(block.scale);
    const Bytes<N> codes = bytes<N>(block.codes + first % 16);
    const int shift = first / 16 * 4;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      values[j] = scale * static_cast<float>((codes[j] >> shift & 15) - 8);
    }
  }
};

struct Q4_1 {
  using Block = BlockQ4_1;
  static constexpr int kElements = 32;

  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    const float scale = __half2float(block.scale);
    const float minimum = __half2float(block.minimum);
    const Bytes<N> codes = bytes<N>(block.codes + first % 16);
    const int shift = first / 16 * 4;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      values[j] = scale * static_cast<float>(codes[j] >> shift & 15) + minimum;
    }
  }
};

struct Q5_0 {
  using Block = BlockQ5_0;
  static constexpr int kElements = 32;

  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    const float scale = __half2float(block.scale);
    const unsigned fifth = fifth_bits(block.fifth) >> first;
    const Bytes<N> codes = bytes<N>(block.codes + first % 16);
    const int shift = first / 16 * 4;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const int code = (codes[j] >> shift & 15) | (fifth >> j & 1) << 4;
      values[j] = scale * static_cast<float>(code - 16);
    }
  }
};

struct Q5_1 {
  using Block = BlockQ5_1;
  static constexpr int kElements = 32;

  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    const float scale = __half2float(block.scale);
    const float minimum = __half2float(block.minimum);
    const unsigned fifth = fifth_bits(block.fifth) >> first;
    const Bytes<N> codes = bytes<N>(block.codes + first % 16);
    const int shift = first / 16 * 4;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const int five_bits = (codes[j] >> shift & 15) | (fifth >> j & 1) << 4;
      values[j] = scale * static_cast<float>(five_bits) + minimum;
    }
  }
};

struct Q8_0 {
  using Block = BlockQ8_0;
  static constexpr int kElements = 32;

  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    const float scale = __half2float(block.scale);
    const Bytes<N> codes = bytes<N>(block.codes + first);
#pragma unroll
    for (int j = 0; j < N; ++j) {
      values[j] = scale * static_cast<float>(static_cast<signed char>(codes[j]));
    }
  }
};

// GGML's own reading of MXFP4: exponent 255 is 2^128 and no NaN, code 8 is +0. The table holds
// twice the e2m1 values and the scale is halved, since 2^128 is no float32 of its own.
struct Mxfp4 {
  using Block = BlockMxfp4;
  static constexpr int kElements = 32;

  template <int N>
  static __device__ void decode(const Block& block, int first, float (&values)[N]) {
    const float half_scale = small_floats::power_of_two(static_cast<int>(block.exponent) - 128);
    const Bytes<N> codes = bytes<N>(block.codes + first % 16);
    const int shift = first / 16 * 4;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const int code = codes[j] >> shift & 15;
      const int magnitude = code & 7;
      const int twice = magnitude < 4 ? magnitude : (2 + magnitude % 2) << (magnitude / 2 - 1);
      values[j] = half_scale * static_cast<float>(code < 8 ? twice : -twice);
    }
  }
};

}  // namespace quantised
