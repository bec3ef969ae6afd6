// Product with a transposed quantised matrix: one entry point a format.
//
// Formula   y[i][r] = sum_p x[i][p] * w[r][p], w the matrix that the blocks stand for
// Layout    blocks: rows x row_blocks in the layout of the format's header, row-major; x: m x
//           columns, y: m x rows, float32, row-major.
// Grid, block, limits, rounding: quantised_product.h, for four rows of x. `blocks` aligned to 2.
//
// A block decodes a weight once for four rows of x, which all of its threads read and the cache
// keeps; more rows of x are more blocks.

#include <hip/hip_runtime.h>

#include "include/ggml_blocks.h"
#include "include/ggml_super_blocks.h"
#include "include/mx_blocks.h"
#include "include/quantised_product.h"

using namespace quantised;
using namespace small_floats;

constexpr int kRowsAtOnce = 4;

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_q4_0(
    const Q4_0::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Q4_0, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_q4_1(
    const Q4_1::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Q4_1, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_q5_0(
    const Q5_0::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Q5_0, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_q5_1(
    const Q5_1::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Q5_1, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_q8_0(
    const Q8_0::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Q8_0, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_q2_k(
    const Q2_K::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Q2_K, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_q3_k(
    const Q3_K::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Q3_K, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_q4_k(
    const Q4_K::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Q4_K, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_q5_k(
    const Q5_K::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Q5_K, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_q6_k(
    const Q6_K::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Q6_K, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_mxfp4(
    const Mxfp4::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Mxfp4, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_mxfp4_e2m1(
    const Mx<E2M1>::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Mx<E2M1>, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_mxfp6_e2m3(
    const Mx<E2M3>::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Mx<E2M3>, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_mxfp6_e3m2(
    const Mx<E3M2>::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Mx<E3M2>, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_mxfp8_e4m3(
    const Mx<E4M3>::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Mx<E4M3>, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemm_mxfp8_e5m2(
    const Mx<E5M2>::Block* blocks, const float* x, float* y, int m, int rows, int row_blocks,
    int lanes) {
  multiply<Mx<E5M2>, kRowsAtOnce>(blocks, {x, y, m, rows, row_blocks, lanes});
}
