// Rows of a table of quantised blocks, picked by index: one entry point a format.
//
// Formula   y[t][c] = w[indices[t]][c], w the matrix that the blocks stand for
// Layout    table: rows x row_blocks in the layout of the format's header, row-major; indices:
//           tokens int32; y: tokens x row_blocks * F::kElements float32, row-major.
// Grid      tokens blocks. Block: one-dimensional, at most 256 threads; each takes 4 consecutive
//           values at a time.
// Limits    rows and columns below 2^31; `table` aligned to 2 bytes, `y` to 16.
// Policy    an index outside the table makes its row of y NaN: it reads nothing, and it shows.

#include <hip/hip_runtime.h>

#include "include/ggml_blocks.h"
#include "include/ggml_super_blocks.h"
#include "include/mx_blocks.h"

using namespace quantised;
using namespace small_floats;

template <class Format>
__device__ void look_up(const typename Format::Block* table, const int* indices, float* y, int rows,
                        int row_blocks) {
  constexpr int kQuads = Format::kElements / 4;
  const int index = indices[blockIdx.x];
  const bool inside = index >= 0 && index < rows;
  const typename Format::Block* from = table + static_cast<size_t>(inside ? index : 0) * row_blocks;
  const int quads = row_blocks * kQuads;
  float4* to = reinterpret_cast<float4*>(y) + static_cast<size_t>(blockIdx.x) * quads;
  for (int quad = threadIdx.x; quad < quads; quad += blockDim.x) {
    float four[4] = {__builtin_nanf(""), __builtin_nanf(""), __builtin_nanf(""),
                     __builtin_nanf("")};
    if (inside) Format::decode(from[quad / kQuads], quad % kQuads * 4, four);
    to[quad] = make_float4(four[0], four[1], four[2], four[3]);
  }
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_q4_0(const Q4_0::Block* table,
                                                                           const int* indices,
                                                                           float* y, int rows,
                                                                           int row_blocks) {
  look_up<Q4_0>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_q4_1(const Q4_1::Block* table,
                                                                           const int* indices,
                                                                           float* y, int rows,
                                                                           int row_blocks) {
  look_up<Q4_1>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_q5_0(const Q5_0::Block* table,
                                                                           const int* indices,
                                                                           float* y, int rows,
                                                                           int row_blocks) {
  look_up<Q5_0>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_q5_1(const Q5_1::Block* table,
                                                                           const int* indices,
                                                                           float* y, int rows,
                                                                           int row_blocks) {
  look_up<Q5_1>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_q8_0(const Q8_0::Block* table,
                                                                           const int* indices,
                                                                           float* y, int rows,
                                                                           int row_blocks) {
  look_up<Q8_0>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_q2_k(const Q2_K::Block* table,
                                                                           const int* indices,
                                                                           float* y, int rows,
                                                                           int row_blocks) {
  look_up<Q2_K>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_q3_k(const Q3_K::Block* table,
                                                                           const int* indices,
                                                                           float* y, int rows,
                                                                           int row_blocks) {
  look_up<Q3_K>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_q4_k(const Q4_K::Block* table,
                                                                           const int* indices,
                                                                           float* y, int rows,
                                                                           int row_blocks) {
  look_up<Q4_K>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_q5_k(const Q5_K::Block* table,
                                                                           const int* indices,
                                                                           float* y, int rows,
                                                                           int row_blocks) {
  look_up<Q5_K>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_q6_k(const Q6_K::Block* table,
                                                                           const int* indices,
                                                                           float* y, int rows,
                                                                           int row_blocks) {
  look_up<Q6_K>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_mxfp4(
    const Mxfp4::Block* table, const int* indices, float* y, int rows, int row_blocks) {
  look_up<Mxfp4>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_mxfp4_e2m1(
    const Mx<E2M1>::Block* table, const int* indices, float* y, int rows, int row_blocks) {
  look_up<Mx<E2M1>>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_mxfp6_e2m3(
    const Mx<E2M3>::Block* table, const int* indices, float* y, int rows, int row_blocks) {
  look_up<Mx<E2M3>>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_mxfp6_e3m2(
    const Mx<E3M2>::Block* table, const int* indices, float* y, int rows, int row_blocks) {
  look_up<Mx<E3M2>>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_mxfp8_e4m3(
    const Mx<E4M3>::Block* table, const int* indices, float* y, int rows, int row_blocks) {
  look_up<Mx<E4M3>>(table, indices, y, rows, row_blocks);
}

extern "C" __global__ __launch_bounds__(256) void quantised_embedding_mxfp8_e5m2(
    const Mx<E5M2>::Block* table, const int* indices, float* y, int rows, int row_blocks) {
  look_up<Mx<E5M2>>(table, indices, y, rows, row_blocks);
}
