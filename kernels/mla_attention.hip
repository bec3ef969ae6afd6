// Multi-head latent attention over a paged cache of latents, the weights absorbed into queries and
// output: all heads share one key, whose first elements are the value as well.
//
// Formula   o[t][h] = sum_j p_j c_j[0 .. value_size - 1] / sum_j p_j, c_j the rows of the cache
// that
//           token t's position sees; p and scale as in include/attention_tiles.h, pages and
//           positions as in include/paged_keys.h.
// Layout    q: tokens x heads x size, o: tokens x heads x value_size, float32; pages: pages x
//           page_size x size of float32, fp16 or bfloat16: a latent of value_size elements, then
//           the part of the key that carries the position; row-major, contiguous; o overlaps none
//           of them. partials: tokens * heads x splits x (value_size + 2) float32, written instead
//           of o when there are splits, for attention_combine.hip.
// Grid      include/paged_keys.h, with one key head. Block: 16 lanes a row, at most 8 rows.
// Limits    1 <= value_size <= 512, value_size <= size <= 640; lengths < 2^30; 1 to 65,535 splits;
//           keys_a_tile 16 or 32; row_tiles * rows >= queries * heads of every sequence.

#include <hip/hip_runtime.h>

#include "include/attention_tiles.h"
#include "include/paged_keys.h"

constexpr int kChunks = 8;
constexpr int kThreads = 128;

template <class Element>
__device__ void mla_attention(const float* q, const Element* pages, float* o, float* partials,
                              const paged::Cache& cache, int size, int value_size, int row_tiles,
                              int keys_a_tile, attention::Scaling scaling) {
  extern __shared__ lanes8::Quad memory[];
  const paged::Work work(cache, row_tiles);
  if (work.first >= work.queries * cache.query_heads) return;
  const attention::Tiles tiles(memory, blockDim.x / attention::kLanes, size, value_size,
                               keys_a_tile, true);
  attention::load_query(tiles, work.live ? q + work.place * size : nullptr,
                        attention::in_vectors(q, size));
  auto row = [&](int j) { return work.row(cache, pages, j, size); };
  const bool vectors = attention::in_vectors(pages, size);
  const auto state = attention::attend<true, kChunks>(tiles, work.share(keys_a_tile), work.seen,
                                                      scaling, row, row, vectors, vectors);
  if (!work.live) return;
  if (gridDim.y == 1) {
    attention::store_row(state, o + work.place * value_size, value_size);
  } else {
    const size_t place = work.place * gridDim.y + blockIdx.y;
    attention::store_partial(state, partials + place * (value_size + 2), value_size);
  }
}

extern "C" __global__ __launch_bounds__(kThreads) void mla_attention_f32(
    const float* q, const float* latents, const int* block_table, const int* query_starts,
    const int* lengths, float* o, float* partials, int heads, int key_heads, int size,
    int value_size, int pages, int page_size, int table_width, int row_tiles, int keys_a_tile,
    int window, float scale, float softcap) {
  const paged::Cache cache = {block_table, query_starts, lengths,     heads, key_heads,
                              pages,       page_size,    table_width, window};
  mla_attention(q, latents, o, partials, cache, size, value_size, row_tiles, keys_a_tile,
                {scale, softcap});
}

extern "C" __global__ __launch_bounds__(kThreads) void mla_attention_f16(
    const float* q, const __half* latents, const int* block_table, const int* query_starts,
    const int* lengths, float* o, float* partials, int heads, int key_heads, int size,
    int value_size, int pages, int page_size, int table_width, int row_tiles, int keys_a_tile,
    int window, float scale, float softcap) {
  const paged::Cache cache = {block_table, query_starts, lengths,     heads, key_heads,
                              pages,       page_size,    table_width, window};
  mla_attention(q, latents, o, partials, cache, size, value_size, row_tiles, keys_a_tile,
                {scale, softcap});
}

extern "C" __global__ __launch_bounds__(kThreads) void mla_attention_bf16(
    const float* q, const __hip_bfloat16* latents, const int* block_table, const int* query_starts,
    const int* lengths, float* o, float* partials, int heads, int key_heads, int size,
    int value_size, int pages, int page_size, int table_width, int row_tiles, int keys_a_tile,
    int window, float scale, float softcap) {
  const paged::Cache cache = {block_table, query_starts, lengths,     heads, key_heads,
                              pages,       page_size,    table_width, window};
  mla_attention(q, latents, o, partials, cache, size, value_size, row_tiles, keys_a_tile,
                {scale, softcap});
}
