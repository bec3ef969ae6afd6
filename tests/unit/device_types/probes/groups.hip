// Every thread writes what its groups tell it, one row of integers a thread.
#include <hip/hip_cooperative_groups.h>

namespace cg = cooperative_groups;

// A row's next cell.
struct Row {
  int* cell;
  __device__ void put(long long value) { *cell++ = static_cast<int>(value); }
};

extern "C" __global__ void shapes(int* out, int columns) {
  const cg::thread_block block = cg::this_thread_block();
  Row row{out + (blockIdx.x * block.size() + block.thread_rank()) * columns};
  row.put(block.thread_rank());
  row.put(block.num_threads());
  row.put(block.thread_index().x + 100 * block.thread_index().y);
  row.put(block.group_index().x);
  const cg::grid_group grid = cg::this_grid();
  row.put(grid.thread_rank());
  row.put(grid.size());
  row.put(grid.block_rank());
  const auto tile = cg::tiled_partition<16>(block);
  row.put(tile.thread_rank());
  row.put(tile.size());
  row.put(tile.meta_group_rank());
  row.put(tile.meta_group_size());
  const auto part = cg::tiled_partition<4>(tile);
  row.put(part.thread_rank());
  row.put(part.meta_group_rank());
  row.put(part.meta_group_size());
  const cg::thread_block_tile<4> erased = part;
  row.put(erased.meta_group_rank());
  const cg::thread_group dynamic = cg::tiled_partition(block, 8);
  row.put(dynamic.thread_rank());
  row.put(dynamic.size());
  const cg::thread_group base = block;
  row.put(cg::thread_rank(base));
  row.put(cg::group_size(cg::this_thread()));
}

extern "C" __global__ void exchanges(int* out, int columns) {
  const cg::thread_block block = cg::this_thread_block();
  const int self = static_cast<int>(block.thread_rank());
  Row row{out + self * columns};
  const auto tile = cg::tiled_partition<16>(block);
  row.put(tile.shfl(self, 3));
  row.put(tile.shfl_down(self, 2));
  row.put(tile.shfl_up(self, 3));
  row.put(tile.shfl_xor(self, 5));
  row.put(tile.ballot(self % 3 == 0));
  row.put(tile.any(self == 20));
  row.put(tile.all(self < 32));
  row.put(tile.match_any(self % 4));
  int same = -1;
  row.put(tile.match_all(self / 32, same));
  row.put(same);
  row.put(tile.match_all(self, same));
  row.put(same);
  row.put(cg::reduce(tile, self, cg::plus<int>()));
  row.put(cg::reduce(tile, self ^ 7, cg::greater<int>()));
  row.put(cg::reduce(tile, self, [](int a, int b) { return a < b ? a : b; }));
  row.put(static_cast<int>(cg::reduce(tile, make_double4(self, 0, 1, 2), cg::plus<double4>()).z));
  row.put(cg::inclusive_scan(tile, self));
  row.put(cg::exclusive_scan(tile, self, cg::plus<int>()));
  const cg::coalesced_group odd = cg::binary_partition(tile, self % 2 != 0);
  row.put(odd.thread_rank());
  row.put(odd.size());
  row.put(odd.meta_group_rank());
  row.put(odd.shfl(self, 1));
  row.put(cg::reduce(odd, self, cg::plus<int>()));
  tile.sync();
  odd.sync();
  cg::sync(block);
}

extern "C" __global__ void active(int* out, int columns) {
  const int self = static_cast<int>(cg::this_thread_block().thread_rank());
  Row row{out + self * columns};
  if (self % 3 != 1) return;
  const cg::coalesced_group group = cg::coalesced_threads();
  row.put(group.thread_rank());
  row.put(group.size());
  row.put(group.shfl(self, 2));
  row.put(group.shfl_down(self, 1));
  row.put(group.shfl_up(self, 1));
  row.put(group.ballot(self % 2));
  row.put(group.any(self == 1));
  row.put(group.all(self % 3 == 1));
  row.put(cg::reduce(group, self, cg::plus<int>()));
  row.put(cg::inclusive_scan(group, 1));
  const cg::coalesced_group part = cg::tiled_partition(group, 4);
  row.put(part.thread_rank());
  row.put(part.size());
  row.put(part.meta_group_rank());
  row.put(part.meta_group_size());
  row.put(part.shfl(self, 0));
  group.sync();
}

// Every block reads, after the grid's barrier, what the next block wrote before it.
extern "C" __global__ void neighbours(int* out, int rounds) {
  const cg::grid_group grid = cg::this_grid();
  const unsigned blocks = grid.num_blocks();
  int carried = static_cast<int>(blockIdx.x);
  for (int round = 0; round < rounds; ++round) {
    if (threadIdx.x == 0) out[blockIdx.x] = carried;
    grid.sync();
    carried = out[(blockIdx.x + 1) % blocks];
    grid.sync();
  }
  if (threadIdx.x == 0) out[blockIdx.x] = carried;
}
