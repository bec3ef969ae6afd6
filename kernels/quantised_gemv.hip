// Quantised matrix times vector: one entry point a format.
//
// Formula   y[r] = sum_p w[r][p] * x[p], w the matrix that the blocks stand for
// Layout    blocks: rows x row_blocks in the layout of the format's header, row-major; x: columns
//           float32; y: rows float32.
// Grid, block, limits, rounding: quantised_product.h, for one row of x. `blocks` aligned to 2
// bytes.
//
// A row's neighbouring runs lie in neighbouring lanes, so that a wave reads whole cache lines; the
// fewer lanes a short row takes, the more rows a wave has.

#include <hip/hip_runtime.h>

#include "include/ggml_blocks.h"
#include "include/ggml_super_blocks.h"
#include "include/mx_blocks.h"
#include "include/quantised_product.h"

using namespace quantised;
using namespace small_floats;

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_q4_0(
    const Q4_0::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Q4_0, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_q4_1(
    const Q4_1::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Q4_1, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_q5_0(
    const Q5_0::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Q5_0, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_q5_1(
    const Q5_1::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Q5_1, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_q8_0(
    const Q8_0::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Q8_0, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_q2_k(
    const Q2_K::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Q2_K, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_q3_k(
    const Q3_K::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Q3_K, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_q4_k(
    const Q4_K::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Q4_K, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_q5_k(
    const Q5_K::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Q5_K, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_q6_k(
    const Q6_K::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Q6_K, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_mxfp4(
    const Mxfp4::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Mxfp4, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_mxfp4_e2m1(
    const Mx<E2M1>::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Mx<E2M1>, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_mxfp6_e2m3(
    const Mx<E2M3>::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Mx<E2M3>, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_mxfp6_e3m2(
    const Mx<E3M2>::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Mx<E3M2>, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_mxfp8_e4m3(
    const Mx<E4M3>::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Mx<E4M3>, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}

extern "C" __global__ __launch_bounds__(kThreads) void quantised_gemv_mxfp8_e5m2(
    const Mx<E5M2>::Block* blocks, const float* x, float* y, int rows, int row_blocks, int lanes) {
  multiply<Mx<E5M2>, 1>(blocks, {x, y, 1, rows, row_blocks, lanes});
}
