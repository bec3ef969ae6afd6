// Dequantisation of GGML's Q4_0 format to float32.
//
// Formula   y[32 b + j] = scale_b * (q_j - 8), q_j in 0..15, for block b and j in 0..31
// Layout    blocks: 18 bytes each: scale (fp16), 16 bytes of codes; byte j holds code j in its low
//           and code j + 16 in its high nibble. values: 32 float32 a block, in order.
// Grid      one thread for 4 consecutive values, 8 threads a block of 32; any one-dimensional grid
//           that covers them. Block: one-dimensional, at most 256 threads.
// Limits    block_count < 2^28; `blocks` aligned to 2 bytes, `values` to 16.
// Rounding  none: the product of an 11-bit and a 4-bit significand is exact in float32.

#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

struct BlockQ4_0 {
  __half scale;
  unsigned char codes[16];
};
static_assert(sizeof(BlockQ4_0) == 18, "the format's block size");

extern "C" __global__ __launch_bounds__(256) void dequantise_q4_0(const BlockQ4_0* blocks,
                                                                  float* values, int block_count) {
  const size_t quad = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (quad >= static_cast<size_t>(block_count) * 8) return;

  const BlockQ4_0& block = blocks[quad / 8];
  const int part = quad % 8;  // 0..3: low nibbles, 4..7: high nibbles
  const unsigned char* codes = block.codes + part % 4 * 4;
  const int shift = part / 4 * 4;
  const float scale = __half2float(block.scale);
  auto value = [&](int j) { return scale * static_cast<float>((codes[j] >> shift & 15) - 8); };
  reinterpret_cast<float4*>(values)[quad] = make_float4(value(0), value(1), value(2), value(3));
}
