// Linear index of a large matrix computed in int: row * columns passes 2^31 before it is widened,
// so the rows of this shard get a negative index and are silently skipped by the range test. The
// twin widens first.
// RUN: --kernel fill_shard --grid 8 --block 64 --arg f32[512]=zeros --arg i32=40000 --arg i32=65536
// RUN: --arg i64=2621440000
#include <hip/hip_runtime.h>

// Block b fills the first 64 elements of row first_row + b; the shard keeps 64 of each row.
__global__ void fill_shard(float* shard, int first_row, int columns, long long shard_start) {
  const int row = first_row + blockIdx.x;
#ifndef TWIN
  const long long start = row * columns;  // FAULT: undefined-behaviour at
#else
  const long long start = static_cast<long long>(row) * columns;
#endif
  const long long shard_row = (start - shard_start) / columns;
  if (shard_row < 0 || shard_row >= gridDim.x) return;
  shard[shard_row * blockDim.x + threadIdx.x] = 1.0f;
}
