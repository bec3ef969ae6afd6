// Dequantisation of GGML's Q8_0 format to float32.
//
// Formula   y[32 b + j] = scale_b * q_j, q_j in -128..127, for block b and j in 0..31
// Layout    blocks: 34 bytes each: scale (fp16), 32 signed bytes. values: 32 float32 a block, in
//           order.
// Grid      one thread for 4 consecutive values, 8 threads a block of 32; any one-dimensional grid
//           that covers them. Block: one-dimensional, at most 256 threads.
// Limits    block_count < 2^28; `blocks` aligned to 2 bytes (no more: 34 is no multiple of 4),
//           `values` to 16.
// Rounding  none: the product of an 11-bit and an 8-bit significand is exact in float32.

#include <hip/hip_fp16.h>
#include <hip/hip_runtime.h>

struct BlockQ8_0 {
  __half scale;
  signed char codes[32];
};
static_assert(sizeof(BlockQ8_0) == 34, "the format's block size");

extern "C" __global__ __launch_bounds__(256) void dequantise_q8_0(const BlockQ8_0* blocks,
                                                                  float* values, int block_count) {
  const size_t quad = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (quad >= static_cast<size_t>(block_count) * 8) return;

  const BlockQ8_0& block = blocks[quad / 8];
  const signed char* codes = block.codes + quad % 8 * 4;
  const float scale = __half2float(block.scale);
  auto value = [&](int j) { return scale * static_cast<float>(codes[j]); };
  reinterpret_cast<float4*>(values)[quad] = make_float4(value(0), value(1), value(2), value(3));
}
