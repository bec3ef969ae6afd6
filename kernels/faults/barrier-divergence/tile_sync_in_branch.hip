// The barrier of a tile of 16 threads, called by those that have work and not by the others, which
// wait at the block's barrier. The twin has all threads of the tile call it.
// RUN: --kernel sums --grid 1 --block 64 --arg f32[64]=uniform(-1,1) --arg f32[64]=uninit
#include <hip/hip_cooperative_groups.h>
#include <hip/hip_runtime.h>

namespace cg = cooperative_groups;

__global__ void sums(const float* in, float* out) {
  __shared__ float slots[64];
  const auto tile = cg::tiled_partition<16>(cg::this_thread_block());
  const int tid = threadIdx.x;
  const bool works = tile.thread_rank() < 10;
  const int rank = static_cast<int>(tile.thread_rank());
  slots[tid] = works ? in[tid] : 0.0f;  // ALSO: race-wave write other
#ifndef TWIN
  if (works) tile.sync();  // FAULT: barrier-divergence at
#else
  tile.sync();
#endif
  const float next = slots[tid - rank + (rank + 1) % 16];  // ALSO: race-wave write other
  __syncthreads();
  slots[tid] = next;
  __syncthreads();
  out[tid] = slots[63 - tid];
}
