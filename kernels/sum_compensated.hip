// Sum of each row by a block, with the rounding error of every addition carried along.
//
// Formula   y[r] = sum_j x[r][j]
// Layout    x: rows x columns, float32, row-major, contiguous; y: rows.
// Grid      rows blocks. Block: one-dimensional, a multiple of warpSize, at most 1024 threads.
// Limits    1 <= columns <= 2^30.
// Rounding  each thread keeps a sum and its error (Neumaier 1974: Knuth's two-sum is exact
//           whichever term is larger), and such pairs are folded, their errors added once more. The
//           result is that of one rounding, and u^2 times the length on top.

#include <hip/hip_runtime.h>

#include "include/block_reduce.h"

// value + error, unevaluated.
struct Compensated {
  float value;
  float error;
};

// The sum of two such numbers: additions only, so there is nothing to contract.
__device__ Compensated sum_of(Compensated a, Compensated b) {
  const float value = a.value + b.value;
  const float rest = value - a.value;
  const float error = (a.value - (value - rest)) + (b.value - rest);
  return {value, (a.error + b.error) + error};
}

// Found by block_reduce.h through its argument.
__device__ inline Compensated from_lane_across(Compensated own, int distance) {
  return {__shfl_xor(own.value, distance), __shfl_xor(own.error, distance)};
}

struct CompensatedSum {
  // Two-sum gives the same error for a + b as for b + a, so all lanes agree to the bit.
  __device__ Compensated operator()(Compensated a, Compensated b) const { return sum_of(a, b); }
};

extern "C" __global__ __launch_bounds__(1024) void sum_compensated(const float* x, float* y,
                                                                   int columns) {
  __shared__ Compensated scratch[block_reduce::kMostWaves];
  const float* from = x + static_cast<size_t>(blockIdx.x) * columns;
  Compensated sum = {0.0f, 0.0f};
  for (int i = threadIdx.x; i < columns; i += blockDim.x) sum = sum_of(sum, {from[i], 0.0f});
  sum = block_reduce::over_block(sum, CompensatedSum{}, scratch);
  // Beside an infinity or a NaN the error is NaN and the value is the result.
  const bool finite = sum.error == sum.error;
  if (threadIdx.x == 0) y[blockIdx.x] = finite ? sum.value + sum.error : sum.value;
}
