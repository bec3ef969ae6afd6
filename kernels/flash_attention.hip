// Scaled dot-product attention with an online softmax: memory does not grow with the keys.
//
// Formula   o[b][h][i] = sum_j p_ij v[b][g][j] / sum_j p_ij over the keys j that query i sees, g =
// h
//           / (query_heads / key_heads); p, scale and soft cap as in include/attention_tiles.h.
//           Query i stands at position i + keys - queries. Causal: it sees the keys up to its
//           position; with a window w > 0, the last w of those.
// Layout    q: batch x query_heads x queries x size; k: batch x key_heads x keys x size; v: batch x
//           key_heads x keys x value_size; o: batch x query_heads x queries x value_size; all of
//           one format (float32, fp16, bfloat16), row-major, contiguous; o overlaps none of them.
// Grid      one-dimensional, batch * key_heads * row_tiles blocks: the query heads of a key head
//           share its tiles. Block: 16 lanes a row, at most 16 rows; a block's rows are the pairs
//           (query, head of the group), the head changing first.
// Limits    1 <= size, value_size <= 256; queries, keys < 2^30; keys_a_tile 16 or 32;
//           row_tiles * rows >= queries * group.
// Policy    and rounding: include/attention_tiles.h. The result is rounded once to its format.

#include <hip/hip_runtime.h>

#include "include/attention_tiles.h"

constexpr int kChunks = 4;
constexpr int kThreads = 256;

// Sizes of the operands, and what a query sees.
struct Problem {
  int query_heads;
  int key_heads;
  int queries;
  int keys;
  int causal;
  int window;

  __device__ attention::Range seen_by(int query) const {
    const int position = query + keys - queries;
    const int end = causal ? min(max(position + 1, 0), keys) : keys;
    return {window > 0 ? min(max(position + 1 - window, 0), end) : 0, end};
  }
};

template <class Element>
__device__ void flash_attention(const Element* q, const Element* k, const Element* v, Element* o,
                                const Problem& problem, int size, int value_size, int row_tiles,
                                int keys_a_tile, attention::Scaling scaling) {
  extern __shared__ lanes8::Quad memory[];
  const int rows = blockDim.x / attention::kLanes;
  const attention::Tiles tiles(memory, rows, size, value_size, keys_a_tile, false);
  const int group = problem.query_heads / problem.key_heads;
  const int pair = blockIdx.x / row_tiles;  // of batch and key head
  const int first = blockIdx.x % row_tiles * rows;
  const int most = problem.queries * group;
  if (first >= most) return;

  const int row = first + attention::row_of_block();
  const bool live = row < most;
  const int query = row / group;
  const size_t head = static_cast<size_t>(pair) * group + row % group;
  const size_t place = head * problem.queries + query;
  const Element* key_rows = k + static_cast<size_t>(pair) * problem.keys * size;
  const Element* value_rows = v + static_cast<size_t>(pair) * problem.keys * value_size;

  attention::load_query(tiles, live ? q + place * size : nullptr, attention::in_vectors(q, size));
  const attention::Range seen = live ? problem.seen_by(query) : attention::Range{0, 0};
  const attention::Range block = {problem.seen_by(first / group).begin,
                                  problem.seen_by((min(first + rows, most) - 1) / group).end};
  const auto state = attention::attend<false, kChunks>(
      tiles, block, seen, scaling, [&](int j) { return key_rows + static_cast<size_t>(j) * size; },
      [&](int j) { return value_rows + static_cast<size_t>(j) * value_size; },
      attention::in_vectors(k, size), attention::in_vectors(v, value_size));
  if (live) attention::store_row(state, o + place * value_size, value_size);
}

extern "C" __global__ __launch_bounds__(kThreads) void flash_attention_f32(
    const float* q, const float* k, const float* v, float* o, int query_heads, int key_heads,
    int queries, int keys, int size, int value_size, int row_tiles, int keys_a_tile, int causal,
    int window, float scale, float softcap) {
  flash_attention(q, k, v, o, {query_heads, key_heads, queries, keys, causal, window}, size,
                  value_size, row_tiles, keys_a_tile, {scale, softcap});
}

extern "C" __global__ __launch_bounds__(kThreads) void flash_attention_f16(
    const __half* q, const __half* k, const __half* v, __half* o, int query_heads, int key_heads,
    int queries, int keys, int size, int value_size, int row_tiles, int keys_a_tile, int causal,
    int window, float scale, float softcap) {
  flash_attention(q, k, v, o, {query_heads, key_heads, queries, keys, causal, window}, size,
                  value_size, row_tiles, keys_a_tile, {scale, softcap});
}

extern "C" __global__ __launch_bounds__(kThreads) void flash_attention_bf16(
    const __hip_bfloat16* q, const __hip_bfloat16* k, const __hip_bfloat16* v, __hip_bfloat16* o,
    int query_heads, int key_heads, int queries, int keys, int size, int value_size, int row_tiles,
    int keys_a_tile, int causal, int window, float scale, float softcap) {
  flash_attention(q, k, v, o, {query_heads, key_heads, queries, keys, causal, window}, size,
                  value_size, row_tiles, keys_a_tile, {scale, softcap});
}
