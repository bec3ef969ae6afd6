// Product of groups of rows, each with a quantised matrix of its own: one entry point a format.
//
// Formula   y[i][r] = sum_p x[i][p] * w[e][r][p] for the rows i of group e, w[e] the matrix that
// its
//           blocks stand for
// Layout    blocks: groups x rows x row_blocks in the layout of the format's header, row-major; x:
// m
//           x columns, y: m x rows, float32, row-major; offsets: include/groups.h, for the m rows
//           of x. Rows behind the last group are left as they are.
// Grid      x: as quantised_product.h has it; z: min(m, ceil(m / 4) + groups) tiles, enough for any
//           offsets; those left over return.
// Block, rounding: quantised_product.h, for one row of x or four.
// Limits    rows, columns and m below 2^31, groups <= 1024. `blocks` aligned to 2 bytes.

#include <hip/hip_runtime.h>

#include "include/ggml_blocks.h"
#include "include/ggml_super_blocks.h"
#include "include/groups.h"
#include "include/mx_blocks.h"
#include "include/quantised_product.h"

using namespace quantised;
using namespace small_floats;

constexpr int kRowsAtOnce = 4;

template <class Format>
__device__ void multiply_group(const typename Format::Block* blocks, const int* offsets, int groups,
                               const Product& all) {
  const groups::Place place = groups::place_of(offsets, groups, kRowsAtOnce, blockIdx.z);
  if (place.group < 0) return;  // the whole block
  const size_t columns = static_cast<size_t>(all.row_blocks) * Format::kElements;
  const typename Format::Block* matrix =
      blocks + static_cast<size_t>(place.group) * all.rows * all.row_blocks;
  Product tile = all;
  tile.x += place.row * columns;
  tile.y += place.row * static_cast<size_t>(all.rows);
  tile.m = min(place.end - place.row, kRowsAtOnce);
  if (tile.m == 1) {
    multiply<Format, 1>(matrix, tile);
  } else {
    multiply<Format, kRowsAtOnce>(matrix, tile);
  }
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_q4_0(
    const Q4_0::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Q4_0>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_q4_1(
    const Q4_1::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Q4_1>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_q5_0(
    const Q5_0::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Q5_0>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_q5_1(
    const Q5_1::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Q5_1>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_q8_0(
    const Q8_0::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Q8_0>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_q2_k(
    const Q2_K::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Q2_K>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_q3_k(
    const Q3_K::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Q3_K>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_q4_k(
    const Q4_K::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Q4_K>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_q5_k(
    const Q5_K::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Q5_K>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_q6_k(
    const Q6_K::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Q6_K>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_mxfp4(
    const Mxfp4::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Mxfp4>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_mxfp4_e2m1(
    const Mx<E2M1>::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Mx<E2M1>>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_mxfp6_e2m3(
    const Mx<E2M3>::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Mx<E2M3>>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_mxfp6_e3m2(
    const Mx<E3M2>::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Mx<E3M2>>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_mxfp8_e4m3(
    const Mx<E4M3>::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Mx<E4M3>>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_grouped_gemm_mxfp8_e5m2(
    const Mx<E5M2>::Block* blocks, const int* offsets, const float* x, float* y, int groups, int m,
    int rows, int row_blocks, int lanes) {
  multiply_group<Mx<E5M2>>(blocks, offsets, groups, {x, y, m, rows, row_blocks, lanes});
}
