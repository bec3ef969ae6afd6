// Tiles of 8 threads reduce and scan by shuffles, some of them after the rest of the block has
// gone.
// RUN: --kernel sums --grid 1 --block 64 --arg f32[64]=uniform(-1,1) --arg f32[64]=zeros
// RUN: --arg i32=40
#include <hip/hip_cooperative_groups.h>
#include <hip/hip_runtime.h>

namespace cg = cooperative_groups;

__global__ void sums(const float* in, float* out, int n) {
  const auto tile = cg::tiled_partition<8>(cg::this_thread_block());
  const int tid = threadIdx.x;
  if (tid >= n) return;
  float sum = in[tid];
  for (unsigned d = tile.size() / 2; d > 0; d /= 2) sum += tile.shfl_xor(sum, d);
  float through = in[tid];
  for (unsigned d = 1; d < tile.size(); d *= 2) {
    const float left = tile.shfl_up(through, d);
    if (tile.thread_rank() >= d) through += left;
  }
  tile.sync();
  out[tid] = tile.any(sum > 0.0f) ? through : sum;
}
