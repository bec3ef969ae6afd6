// A 16 x 64 tile of a matrix product in float32, through shared memory, for operands of any layout.
//
// Formula   sums[c] = sum_p left(r, p) * right(p, 4 lane + c) for the thread of row r and lane
// Block     kThreads threads: thread t has row t / 16 and the four columns from t % 16 * 4 on. All
//           threads must call.
// Operands  left(r, p) and right(p, c) give the elements, r below kRows, c below kColumns, and 0
//           outside the matrix: p goes up to the next multiple of kDepth. kByDepth says that
//           right's neighbours in memory are those of p and not those of c: then neighbouring lanes
//           read along p.
// Rounding  each element is one serial sum over p (fused where the compiler contracts); the zeros
//           that pad k come last and change nothing but the sign of a zero sum.
#pragma once

#include <hip/hip_runtime.h>

namespace row_tile {

constexpr int kRows = 16;
constexpr int kColumns = 64;
constexpr int kDepth = 16;
constexpr int kSide = 4;
constexpr int kThreads = kRows * kColumns / kSide;

struct Tiles {
  float left[kRows][kDepth + 1];                  // an odd row length spreads the banks
  alignas(16) float right[kDepth][kColumns + 4];  // vectors stay aligned, banks are spread
};

__device__ inline int own_row() { return threadIdx.x / (kColumns / kSide); }
__device__ inline int own_column() { return threadIdx.x % (kColumns / kSide) * kSide; }

template <bool kByDepth = false, class Left, class Right>
__device__ void multiply(Tiles& tiles, int k, Left left, Right right, float (&sums)[kSide]) {
  for (int depth = 0; depth < k; depth += kDepth) {
    const int r = threadIdx.x / kDepth;
    tiles.left[r][threadIdx.x % kDepth] = left(r, depth + static_cast<int>(threadIdx.x) % kDepth);
    for (int i = threadIdx.x; i < kDepth * kColumns; i += kThreads) {
      const int q = kByDepth ? i % kDepth : i / kColumns;
      const int c = kByDepth ? i / kDepth : i % kColumns;
      tiles.right[q][c] = right(depth + q, c);
    }
    __syncthreads();
    for (int q = 0; q < kDepth; ++q) {
      const float4 four = *reinterpret_cast<const float4*>(&tiles.right[q][own_column()]);
      const float one = tiles.left[own_row()][q];
      sums[0] += one * four.x;
      sums[1] += one * four.y;
      sums[2] += one * four.z;
      sums[3] += one * four.w;
    }
    __syncthreads();
  }
}

}  // namespace row_tile
