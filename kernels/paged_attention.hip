// Attention over a paged cache: decoding, where a sequence has one query, and chunks of a prompt.
//
// Formula   o[t][h] = sum_j p_j v_j / sum_j p_j over the keys that token t's position sees: those
//           up to itself, with a window the last of them; p, scale and soft cap as in
//           include/attention_tiles.h, pages and positions as in include/paged_keys.h.
// Layout    q, o: tokens x query_heads x size (value_size), float32; k_pages, v_pages: pages x
//           page_size x key_heads x size (value_size) of float32, fp16, bfloat16, or of Q8_0 blocks
//           (include/q8_rows.h); all row-major, contiguous; o overlaps none of them. partials:
//           tokens * query_heads x splits x (value_size + 2) float32, written instead of o when
//           there are splits, for attention_combine.hip.
// Grid      include/paged_keys.h. Block: 16 lanes a row, at most 16 rows.
// Limits    1 <= size, value_size <= 256; lengths < 2^30; 1 to 65,535 splits; keys_a_tile 16 or 32;
//           row_tiles * rows >= queries * group of every sequence.

#include <hip/hip_runtime.h>

#include "include/attention_tiles.h"
#include "include/paged_keys.h"
#include "include/q8_rows.h"

constexpr int kChunks = 4;
constexpr int kThreads = 256;

// A row of n values has n / kPacked elements.
template <int kPacked = 1, class Element>
__device__ void paged_attention(const float* q, const Element* k_pages, const Element* v_pages,
                                float* o, float* partials, const paged::Cache& cache, int size,
                                int value_size, int row_tiles, int keys_a_tile,
                                attention::Scaling scaling) {
  extern __shared__ lanes8::Quad memory[];
  const paged::Work work(cache, row_tiles);
  const int group = cache.query_heads / cache.key_heads;
  if (work.first >= work.queries * group) return;
  const attention::Tiles tiles(memory, blockDim.x / attention::kLanes, size, value_size,
                               keys_a_tile, false);
  attention::load_query(tiles, work.live ? q + work.place * size : nullptr,
                        attention::in_vectors(q, size));
  const auto state = attention::attend<false, kChunks>(
      tiles, work.share(keys_a_tile), work.seen, scaling,
      [&](int j) { return work.row(cache, k_pages, j, size / kPacked); },
      [&](int j) { return work.row(cache, v_pages, j, value_size / kPacked); },
      attention::in_vectors(k_pages, size), attention::in_vectors(v_pages, value_size));
  if (!work.live) return;
  if (gridDim.y == 1) {
    attention::store_row(state, o + work.place * value_size, value_size);
  } else {
    const size_t place = work.place * gridDim.y + blockIdx.y;
    attention::store_partial(state, partials + place * (value_size + 2), value_size);
  }
}

extern "C" __global__ __launch_bounds__(kThreads) void paged_attention_f32(
    const float* q, const float* k_pages, const float* v_pages, const int* block_table,
    const int* query_starts, const int* lengths, float* o, float* partials, int query_heads,
    int key_heads, int size, int value_size, int pages, int page_size, int table_width,
    int row_tiles, int keys_a_tile, int window, float scale, float softcap) {
  const paged::Cache cache = {block_table, query_starts, lengths,     query_heads, key_heads,
                              pages,       page_size,    table_width, window};
  paged_attention(q, k_pages, v_pages, o, partials, cache, size, value_size, row_tiles, keys_a_tile,
                  {scale, softcap});
}

extern "C" __global__ __launch_bounds__(kThreads) void paged_attention_f16(
    const float* q, const __half* k_pages, const __half* v_pages, const int* block_table,
    const int* query_starts, const int* lengths, float* o, float* partials, int query_heads,
    int key_heads, int size, int value_size, int pages, int page_size, int table_width,
    int row_tiles, int keys_a_tile, int window, float scale, float softcap) {
  const paged::Cache cache = {block_table, query_starts, lengths,     query_heads, key_heads,
                              pages,       page_size,    table_width, window};
  paged_attention(q, k_pages, v_pages, o, partials, cache, size, value_size, row_tiles, keys_a_tile,
                  {scale, softcap});
}

extern "C" __global__ __launch_bounds__(kThreads) void paged_attention_bf16(
    const float* q, const __hip_bfloat16* k_pages, const __hip_bfloat16* v_pages,
    const int* block_table, const int* query_starts, const int* lengths, float* o, float* partials,
    int query_heads, int key_heads, int size, int value_size, int pages, int page_size,
    int table_width, int row_tiles, int keys_a_tile, int window, float scale, float softcap) {
  const paged::Cache cache = {block_table, query_starts, lengths,     query_heads, key_heads,
                              pages,       page_size,    table_width, window};
  paged_attention(q, k_pages, v_pages, o, partials, cache, size, value_size, row_tiles, keys_a_tile,
                  {scale, softcap});
}

extern "C" __global__ __launch_bounds__(kThreads) void paged_attention_q8_0(
    const float* q, const quantised::BlockQ8_0* k_pages, const quantised::BlockQ8_0* v_pages,
    const int* block_table, const int* query_starts, const int* lengths, float* o, float* partials,
    int query_heads, int key_heads, int size, int value_size, int pages, int page_size,
    int table_width, int row_tiles, int keys_a_tile, int window, float scale, float softcap) {
  const paged::Cache cache = {block_table, query_starts, lengths,     query_heads, key_heads,
                              pages,       page_size,    table_width, window};
  paged_attention<quantised::Q8_0::kElements>(q, k_pages, v_pages, o, partials, cache, size,
                                              value_size, row_tiles, keys_a_tile, {scale, softcap});
}
