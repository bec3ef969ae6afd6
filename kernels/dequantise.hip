// Dequantisation of block formats to float32, exact in every bit: one entry point a format.
//
// Formula   y[e b + j] = value j of block b, e values a block: see the headers of the formats
// Layout    blocks: as ggml_blocks.h, ggml_super_blocks.h and mx_blocks.h have them, one after the
//           other; values: float32, in order.
// Grid      one thread for 4 consecutive values; any one-dimensional grid that covers them. Block:
//           one-dimensional, at most 256 threads.
// Limits    block_count < 2^31; `blocks` aligned to 2 bytes, `values` to 16.

#include <hip/hip_runtime.h>

#include "include/ggml_blocks.h"
#include "include/ggml_super_blocks.h"
#include "include/mx_blocks.h"

using namespace quantised;
using namespace small_floats;

template <class Format>
__device__ void dequantise(const typename Format::Block* blocks, float* values, int block_count) {
  constexpr int kQuads = Format::kElements / 4;
  const size_t quad = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (quad >= static_cast<size_t>(block_count) * kQuads) return;
  float four[4];
  Format::decode(blocks[quad / kQuads], static_cast<int>(quad % kQuads) * 4, four);
  reinterpret_cast<float4*>(values)[quad] = make_float4(four[0], four[1], four[2], four[3]);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_q4_0(const Q4_0::Block* blocks,
                                                                  float* values, int block_count) {
  dequantise<Q4_0>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_q4_1(const Q4_1::Block* blocks,
                                                                  float* values, int block_count) {
  dequantise<Q4_1>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_q5_0(const Q5_0::Block* blocks,
                                                                  float* values, int block_count) {
  dequantise<Q5_0>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_q5_1(const Q5_1::Block* blocks,
                                                                  float* values, int block_count) {
  dequantise<Q5_1>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_q8_0(const Q8_0::Block* blocks,
                                                                  float* values, int block_count) {
  dequantise<Q8_0>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_q2_k(const Q2_K::Block* blocks,
                                                                  float* values, int block_count) {
  dequantise<Q2_K>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_q3_k(const Q3_K::Block* blocks,
                                                                  float* values, int block_count) {
  dequantise<Q3_K>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_q4_k(const Q4_K::Block* blocks,
                                                                  float* values, int block_count) {
  dequantise<Q4_K>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_q5_k(const Q5_K::Block* blocks,
                                                                  float* values, int block_count) {
  dequantise<Q5_K>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_q6_k(const Q6_K::Block* blocks,
                                                                  float* values, int block_count) {
  dequantise<Q6_K>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_mxfp4(const Mxfp4::Block* blocks,
                                                                   float* values, int block_count) {
  dequantise<Mxfp4>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_mxfp4_e2m1(
    const Mx<E2M1>::Block* blocks, float* values, int block_count) {
  dequantise<Mx<E2M1>>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_mxfp6_e2m3(
    const Mx<E2M3>::Block* blocks, float* values, int block_count) {
  dequantise<Mx<E2M3>>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_mxfp6_e3m2(
    const Mx<E3M2>::Block* blocks, float* values, int block_count) {
  dequantise<Mx<E3M2>>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_mxfp8_e4m3(
    const Mx<E4M3>::Block* blocks, float* values, int block_count) {
  dequantise<Mx<E4M3>>(blocks, values, block_count);
}

extern "C" __global__ __launch_bounds__(256) void dequantise_mxfp8_e5m2(
    const Mx<E5M2>::Block* blocks, float* values, int block_count) {
  dequantise<Mx<E5M2>>(blocks, values, block_count);
}
