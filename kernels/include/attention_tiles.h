// Attention of a few query rows over keys that pass through shared memory tile by tile: an online
// softmax, whose memory does not grow with the number of keys.
//
// Formula   o = sum_j p_j v_j / sum_j p_j, p_j = exp(s_j - m), s_j = scale q.k_j, or with a soft
//           cap c: c tanh(s_j / c); j from the row's `begin` to its `end`. m is the largest s_j so
//           far: when a tile raises it, what was added before is multiplied by exp(m_old - m_new).
// Block     one-dimensional, 16 lanes a row, a row's lanes side by side. All threads must call. A
//           row's threads compute its logits, 16 keys apart, and each has 4 of every 64 elements
//           of its values' sum, in registers.
// Memory    dynamic shared: Tiles::floats floats. Elements wait there as float32, whatever format
//           they are stored in.
// Limits    q and k of any size, v of at most 64 kChunks elements; 16 or 32 keys a tile.
// Policy    a key outside [begin, end) has no influence, whatever its bits; a row without keys is
//           0; a NaN or +inf logit makes its row NaN.
// Rounding  a logit has 8 serial sums, added by halves (height ceil(size / 8) + 2); weights and
//           weighted values are added in the order of the keys, weights by 16 lanes apart.
// Waves     no wave operations: the same at any width.
#pragma once

#include <hip/hip_runtime.h>

#include "include/lanes8.h"

namespace attention {

constexpr int kLanes = 16;
constexpr int kMostKeys = 32;
constexpr int kEach = kMostKeys / kLanes;  // keys of a tile that a lane has, at most
constexpr int kSpan = kLanes * 4;          // elements of a value that a row's lanes have at once
constexpr float kNone = -__builtin_huge_valf();

// Rows 4 floats apart keep vectors aligned and let 8 lanes in 8 rows meet all banks.
__host__ __device__ constexpr int row_stride(int size) {
  return (size + lanes8::kWidth - 1) / lanes8::kWidth * lanes8::kWidth + 4;
}

// Where in shared memory the parts of a tile are. Values that are the keys' first elements (as a
// latent cache has them) lie where the keys lie.
struct Tiles {
  float* queries;  // rows x row_stride(size)
  float* keys;     // keys_a_tile x row_stride(size)
  float* values;   // keys_a_tile x row_stride(value_size)
  float* weights;  // rows x keys_a_tile
  float* peaks;    // rows x kLanes
  int size;
  int value_size;
  int keys_a_tile;

  __device__ Tiles(lanes8::Quad* memory, int rows, int size, int value_size, int keys_a_tile,
                   bool shared)
      : queries(reinterpret_cast<float*>(memory)),
        keys(queries + rows * row_stride(size)),
        values(shared ? keys : keys + keys_a_tile * row_stride(size)),
        weights(values + keys_a_tile * row_stride(shared ? size : value_size)),
        peaks(weights + rows * keys_a_tile),
        size(size),
        value_size(value_size),
        keys_a_tile(keys_a_tile) {}
};

// How logits are made of products; a soft cap of 0 is none.
struct Scaling {
  float factor;
  float softcap;

  __device__ float operator()(float product) const {
    const float logit = product * factor;
    return softcap > 0.0f ? softcap * tanhf(logit / softcap) : logit;
  }
};

// The keys that a query row sees; none: begin == end.
struct Range {
  int begin;
  int end;
};

// What a thread knows of its row: the largest logit, its own keys' weights added up, and its
// elements of the weighted values' sum.
template <int kChunks>
struct State {
  float peak = kNone;
  float total = 0.0f;
  lanes8::Quad sums[kChunks] = {};
};

__device__ inline int row_of_block() { return threadIdx.x / kLanes; }
__device__ inline int lane_of_row() { return threadIdx.x % kLanes; }

__device__ inline void put(float* to, lanes8::Floats values) {
  lanes8::Quad* quads = reinterpret_cast<lanes8::Quad*>(to);
  quads[0] = __builtin_shufflevector(values, values, 0, 1, 2, 3);
  quads[1] = __builtin_shufflevector(values, values, 4, 5, 6, 7);
}

// Copies elements offset..offset + 7 of a row of `size` elements to shared memory.
template <class Element>
__device__ void copy_eight(float* to, const Element* row, int offset, int size, bool vectors) {
  const bool whole = vectors && offset + lanes8::kWidth <= size;
  put(to + offset,
      whole ? lanes8::load(row + offset) : lanes8::load_some(row + offset, size - offset));
}

// Whether rows of `size` elements, one after the other from `first` on, can be read as vectors.
template <class Element>
__device__ bool in_vectors(const Element* first, int size) {
  return lanes8::aligned(first) && size * sizeof(Element) % lanes8::kAlignment == 0;
}

// The thread's share of copying its row's query; nothing is read where the row is null.
template <class Element>
__device__ void load_query(const Tiles& tiles, const Element* row, bool vectors) {
  if (row == nullptr) return;
  float* to = tiles.queries + row_of_block() * row_stride(tiles.size);
  for (int offset = lane_of_row() * lanes8::kWidth; offset < tiles.size;
       offset += kLanes * lanes8::kWidth) {
    copy_eight(to, row, offset, tiles.size, vectors);
  }
}

// The block's copying of `count` rows; at(i) is the address of row i. A row that is nowhere is NaN.
template <class At>
__device__ void load_rows(float* tile, int size, int count, At at, bool vectors) {
  const int chunks = (size + lanes8::kWidth - 1) / lanes8::kWidth;
  for (int i = threadIdx.x; i < count * chunks; i += blockDim.x) {
    const int row = i / chunks;
    const int offset = i % chunks * lanes8::kWidth;
    float* to = tile + row * row_stride(size);
    const auto* from = at(row);
    if (from == nullptr) {
      put(to + offset, lanes8::Floats{} + __builtin_nanf(""));
    } else {
      copy_eight(to, from, offset, size, vectors);
    }
  }
}

__device__ inline float product(const Tiles& tiles, int key) {
  const float* left = tiles.queries + row_of_block() * row_stride(tiles.size);
  const float* right = tiles.keys + key * row_stride(tiles.size);
  lanes8::Floats sums = {};
  for (int p = 0; p < tiles.size; p += lanes8::kWidth) {
    sums += lanes8::load(left + p) * lanes8::load(right + p);
  }
  return lanes8::sum(sums);
}

__device__ inline float largest(const float* peaks) {
  const lanes8::Quad* quads = reinterpret_cast<const lanes8::Quad*>(peaks);
  const lanes8::Quad one = __builtin_elementwise_max(__builtin_elementwise_max(quads[0], quads[1]),
                                                     __builtin_elementwise_max(quads[2], quads[3]));
  return fmaxf(fmaxf(one[0], one[1]), fmaxf(one[2], one[3]));
}

// Adds the weighted values of a tile's keys from..to - 1 to the thread's elements.
template <int kChunks>
__device__ void add_values(const Tiles& tiles, int from, int to, State<kChunks>& state) {
  const float* weights = tiles.weights + row_of_block() * tiles.keys_a_tile;
  const int stride = row_stride(tiles.values == tiles.keys ? tiles.size : tiles.value_size);
#pragma unroll
  for (int c = 0; c < kChunks; ++c) {
    const int element = c * kSpan + lane_of_row() * 4;
    if (element >= tiles.value_size) continue;
    lanes8::Quad sum = state.sums[c];
    for (int j = from; j < to; ++j) {
      sum +=
          weights[j] * *reinterpret_cast<const lanes8::Quad*>(tiles.values + j * stride + element);
    }
    state.sums[c] = sum;
  }
}

// The weights of a tile's keys `start`.. in shared memory, the state scaled to the new maximum.
// Between the two barriers the block copies the values, by load_values().
template <int kChunks, class LoadValues>
__device__ void weigh(const Tiles& tiles, int start, Range seen, Scaling scaling,
                      LoadValues load_values, State<kChunks>& state) {
  const int row = row_of_block();
  const int lane = lane_of_row();
  float logits[kEach];
  float peak = kNone;
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int key = start + lane + i * kLanes;
    const bool inside =
        lane + i * kLanes < tiles.keys_a_tile && key >= seen.begin && key < seen.end;
    logits[i] = inside ? scaling(product(tiles, key - start)) : kNone;
    peak = fmaxf(peak, logits[i]);
  }
  tiles.peaks[row * kLanes + lane] = peak;
  load_values();
  __syncthreads();

  peak = fmaxf(state.peak, largest(tiles.peaks + row * kLanes));
  // Without a finite logit all weights shall be exp(-inf - 0); a NaN, which fmaxf passes over,
  // comes back through its weight.
  const float shift = peak == kNone ? 0.0f : peak;
  const float shrink = expf(state.peak - shift);
  state.total *= shrink;
  state.peak = peak;
#pragma unroll
  for (int c = 0; c < kChunks; ++c) state.sums[c] *= shrink;
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    if (lane + i * kLanes >= tiles.keys_a_tile) continue;
    const float weight = expf(logits[i] - shift);
    tiles.weights[row * tiles.keys_a_tile + lane + i * kLanes] = weight;
    state.total += weight;
  }
  __syncthreads();
}

// The online softmax over keys block.begin..block.end - 1, which hold what any row of the block
// sees; key(j) and value(j) are the addresses of row j. The query rows must have been loaded;
// no barrier is needed between. Afterwards `total` is the whole row's in each of its threads.
template <bool kSharedTile, int kChunks, class Key, class Value>
__device__ State<kChunks> attend(const Tiles& tiles, Range block, Range seen, Scaling scaling,
                                 Key key, Value value, bool key_vectors, bool value_vectors) {
  State<kChunks> state;
  for (int start = block.begin; start < block.end; start += tiles.keys_a_tile) {
    const int count = min(tiles.keys_a_tile, block.end - start);
    load_rows(tiles.keys, tiles.size, count, [&](int i) { return key(start + i); }, key_vectors);
    __syncthreads();
    auto load_values = [&] {
      if (kSharedTile) return;
      load_rows(
          tiles.values, tiles.value_size, count, [&](int i) { return value(start + i); },
          value_vectors);
    };
    weigh(tiles, start, seen, scaling, load_values, state);
    add_values(tiles, max(seen.begin - start, 0), min(seen.end - start, count), state);
    if (kSharedTile) __syncthreads();  // the next keys go where these values lie
  }

  // The peaks have been read: weigh() ends with a barrier.
  float* totals = tiles.peaks + row_of_block() * kLanes;
  totals[lane_of_row()] = state.total;
  __syncthreads();
  state.total = 0.0f;
  for (int lane = 0; lane < kLanes; ++lane) state.total += totals[lane];
  return state;
}

// Stores the thread's elements of the row's result.
template <int kChunks, class Element>
__device__ void store_row(const State<kChunks>& state, Element* to, int value_size) {
#pragma unroll
  for (int c = 0; c < kChunks; ++c) {
    for (int i = 0; i < 4; ++i) {
      const int element = c * kSpan + lane_of_row() * 4 + i;
      if (element >= value_size) continue;
      lanes8::store(to + element, state.total == 0.0f ? 0.0f : state.sums[c][i] / state.total);
    }
  }
}

// Stores a partial result for attention_combine.hip: sums, maximum and total, value_size + 2
// floats.
template <int kChunks>
__device__ void store_partial(const State<kChunks>& state, float* to, int value_size) {
#pragma unroll
  for (int c = 0; c < kChunks; ++c) {
    for (int i = 0; i < 4; ++i) {
      const int element = c * kSpan + lane_of_row() * 4 + i;
      if (element < value_size) to[element] = state.sums[c][i];
    }
  }
  if (lane_of_row() == 0) {
    to[value_size] = state.peak;
    to[value_size + 1] = state.total;
  }
}

}  // namespace attention
