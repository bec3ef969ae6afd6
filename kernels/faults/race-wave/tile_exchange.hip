// Tiles of 16 threads exchange through shared memory without the tile's barrier: right only where
// the lanes of a wave run in lockstep. The twin has tile.sync().
// RUN: --kernel reverse_tiles --grid 1 --block 64 --arg f32[64]=uniform(-1,1) --arg f32[64]=uninit
// SEVERITY: warning
#include <hip/hip_cooperative_groups.h>
#include <hip/hip_runtime.h>

namespace cg = cooperative_groups;

__global__ void reverse_tiles(const float* in, float* out) {
  __shared__ float slots[64];
  const auto tile = cg::tiled_partition<16>(cg::this_thread_block());
  const int tid = threadIdx.x;
  const int first = tid - static_cast<int>(tile.thread_rank());
  slots[tid] = in[tid];  // FAULT: race-wave write
#ifdef TWIN
  tile.sync();
#endif
  out[tid] = slots[first + 15 - static_cast<int>(tile.thread_rank())];  // FAULT: race-wave other
}
