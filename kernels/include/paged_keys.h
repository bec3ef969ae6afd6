// Sequences whose keys and values lie in the pages of a cache: which rows a block has, what they
// see, and where a key is.
//
// Layout    cache: pages x page_size x heads x size, row-major; block_table: sequences x
//           table_width int32, the pages of a sequence in order; query_starts: sequences + 1
//           int32, where a sequence's queries begin; lengths: sequences int32, its keys, of which
//           the last ones are its queries' own.
// Grid      x: sequences * key_heads * row_tiles blocks; y: splits. A block's rows are the pairs
//           (query, head of the group), the head changing first, of one sequence and key head.
// Policy    a page outside the cache, or a length beyond the table, reads nothing there: those keys
//           are NaN, and so are the rows that see them.
#pragma once

#include <hip/hip_runtime.h>

#include "include/attention_tiles.h"

namespace paged {

struct Cache {
  const int* block_table;
  const int* query_starts;
  const int* lengths;
  int query_heads;
  int key_heads;
  int pages;
  int page_size;
  int table_width;
  int window;  // 0: none
};

// The block's share of the work, the same in all its threads but for `row` and what follows.
struct Work {
  int sequence;
  int key_head;
  int queries;             // of the sequence
  int length;              // its keys
  int first;               // the block's first row among the sequence's and key head's
  attention::Range block;  // keys that any of its rows sees, of this split
  bool live;               // whether the thread's row exists
  attention::Range seen;
  size_t place;  // of the row among all queries' heads

  __device__ Work(const Cache& cache, int row_tiles) {
    const int group = cache.query_heads / cache.key_heads;
    const int rows = blockDim.x / attention::kLanes;
    const int pair = blockIdx.x / row_tiles;
    sequence = pair / cache.key_heads;
    key_head = pair % cache.key_heads;
    const int start = cache.query_starts[sequence];
    queries = cache.query_starts[sequence + 1] - start;
    length = cache.lengths[sequence];
    first = blockIdx.x % row_tiles * rows;
    const int most = queries * group;
    const int row = first + attention::row_of_block();
    live = row < most;
    seen = live ? seen_by(row / group, cache.window) : attention::Range{0, 0};
    place = static_cast<size_t>(start + row / group) * cache.query_heads + key_head * group +
            row % group;
    block = {0, 0};
    if (first < most) {
      block = {seen_by(first / group, cache.window).begin,
               seen_by((min(first + rows, most) - 1) / group, cache.window).end};
    }
  }

  // Query i stands at position length - queries + i.
  __device__ attention::Range seen_by(int query, int window) const {
    const int end = max(length - queries + query + 1, 0);
    return {window > 0 ? max(end - window, 0) : 0, end};
  }

  // The block's keys of split blockIdx.y: whole tiles, as evenly as they come.
  __device__ attention::Range share(int keys_a_tile) const {
    const int tiles = (block.end - block.begin + keys_a_tile - 1) / keys_a_tile;
    const int each = (tiles + gridDim.y - 1) / static_cast<int>(gridDim.y);
    const int from = min(static_cast<int>(blockIdx.y) * each, tiles);
    const int to = min(from + each, tiles);
    return {block.begin + from * keys_a_tile, min(block.begin + to * keys_a_tile, block.end)};
  }

  // The row of a cache of rows of `size` elements that holds key j; null where there is none.
  template <class Element>
  __device__ const Element* row(const Cache& cache, const Element* rows, int j, int size) const {
    const int entry = j / cache.page_size;
    if (entry >= cache.table_width) return nullptr;
    const int page = cache.block_table[static_cast<size_t>(sequence) * cache.table_width + entry];
    if (page < 0 || page >= cache.pages) return nullptr;
    const size_t slot = static_cast<size_t>(page) * cache.page_size + j % cache.page_size;
    return rows + (slot * cache.key_heads + key_head) * size;
  }
};

}  // namespace paged
