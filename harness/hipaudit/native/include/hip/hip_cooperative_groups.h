// Cooperative groups: groups of threads, how they are split, and reductions over them.
#pragma once

#include "../hipaudit/group_types.h"

namespace cooperative_groups {

HIPAUDIT_DEVICE grid_group this_grid() { return grid_group(); }
HIPAUDIT_DEVICE thread_block this_thread_block() { return thread_block(); }
HIPAUDIT_DEVICE thread_group this_thread() {
  return thread_group(internal::cg_coalesced_group, 1ull << __lane_id());
}
HIPAUDIT_DEVICE coalesced_group coalesced_threads() { return coalesced_group(__activemask()); }
__attribute__((unavailable("one emulated device has no multi-grid launches"))) __device__ void
this_multi_grid();

HIPAUDIT_DEVICE void check_tile_size(unsigned int size) {
  if (size == 0 || (size & (size - 1)) != 0 || size > static_cast<unsigned int>(warpSize)) {
    hipaudit_assert_fail("a tile's size is a power of two of at most the wave's size", __FILE__,
                         __LINE__, __func__);
  }
}

// Tiles of a size chosen when the kernel runs. Threads of a block or tile are split by their
// place, those of a coalesced group by their rank in it.
HIPAUDIT_DEVICE coalesced_group tiled_partition(const coalesced_group& parent, unsigned int size) {
  check_tile_size(size);
  const unsigned int tile = parent.thread_rank() / size;
  return coalesced_group(
      hipaudit::detail::lanes_of_ranks(
          parent.lanes_, tile * size,
          size < parent.num_threads() - tile * size ? size : parent.num_threads() - tile * size),
      tile, (parent.num_threads() + size - 1) / size);
}
HIPAUDIT_DEVICE tiled_group tiled_partition(const tiled_group& parent, unsigned int size) {
  check_tile_size(size);
  if (parent.num_threads() <= size) return parent;
  return tiled_group(hipaudit::detail::tile_lanes(size), parent.thread_rank() / size,
                     (parent.num_threads() + size - 1) / size);
}
HIPAUDIT_DEVICE thread_group tiled_partition(const thread_group& parent, unsigned int size) {
  check_tile_size(size);
  const unsigned int tile = parent.thread_rank() / size;
  const unsigned int threads = parent.num_threads();
  const unsigned int tiles = (threads + size - 1) / size;
  if (parent.type_ != internal::cg_coalesced_group) {
    return thread_group(internal::cg_tiled_group, hipaudit::detail::tile_lanes(size), tile, tiles);
  }
  const unsigned int rest = threads - tile * size;
  const unsigned long long lanes =
      hipaudit::detail::lanes_of_ranks(parent.lanes_, tile * size, size < rest ? size : rest);
  return thread_group(internal::cg_coalesced_group, lanes, tile, tiles);
}

template <unsigned int kSize, typename Parent>
HIPAUDIT_DEVICE thread_block_tile<kSize, Parent> tiled_partition(const Parent& parent) {
  return thread_block_tile<kSize, Parent>(parent.thread_rank() / kSize,
                                          (parent.num_threads() + kSize - 1) / kSize);
}

// Those for which the predicate holds, and those for which it does not.
template <typename Group>
HIPAUDIT_DEVICE coalesced_group binary_partition(const Group& parent, bool predicate) {
  const unsigned long long lanes = GroupLanes::of(parent);
  const unsigned long long holds = hipaudit::detail::ballot_among(lanes, predicate);
  return coalesced_group(predicate ? holds : lanes & ~holds, predicate ? 1 : 0, 2);
}

template <typename Group>
HIPAUDIT_DEVICE unsigned int group_size(const Group& group) {
  return group.num_threads();
}
template <typename Group>
HIPAUDIT_DEVICE unsigned int thread_rank(const Group& group) {
  return group.thread_rank();
}
template <typename Group>
HIPAUDIT_DEVICE bool is_valid(const Group& group) {
  return group.is_valid();
}
template <typename Group>
HIPAUDIT_DEVICE void sync(const Group& group) {
  group.sync();
}

template <typename T>
struct plus {
  HIPAUDIT_DEVICE T operator()(const T& a, const T& b) const { return a + b; }
};
template <typename T>
struct less {
  HIPAUDIT_DEVICE T operator()(const T& a, const T& b) const { return a < b ? a : b; }
};
template <typename T>
struct greater {
  HIPAUDIT_DEVICE T operator()(const T& a, const T& b) const { return a < b ? b : a; }
};
template <typename T>
struct bit_and {
  HIPAUDIT_DEVICE T operator()(const T& a, const T& b) const { return a & b; }
};
template <typename T>
struct bit_or {
  HIPAUDIT_DEVICE T operator()(const T& a, const T& b) const { return a | b; }
};
template <typename T>
struct bit_xor {
  HIPAUDIT_DEVICE T operator()(const T& a, const T& b) const { return a ^ b; }
};

// The combination of every thread's value, the same in every thread: a tree over a full tile, in
// the order of ranks otherwise.
template <typename Group, typename T, typename Combine>
HIPAUDIT_DEVICE T reduce(const Group& group, T value, Combine combine) {
  static_assert(__is_same(T, decltype(combine(value, value))), "the combination has another type");
  const unsigned long long lanes = GroupLanes::of(group);
  const unsigned int first = static_cast<unsigned int>(__builtin_ctzll(lanes));
  const unsigned int count = hipaudit::detail::count_lanes(lanes);
  if ((count & (count - 1)) == 0 && lanes >> first == hipaudit::detail::lanes_below(count)) {
    const unsigned int rank = __lane_id() - first;
    for (unsigned int step = 1; step < count; step *= 2) {
      const T other =
          hipaudit::detail::shuffle_from(lanes, value, static_cast<int>(first + (rank ^ step)));
      // The lower one first, so that all threads combine in one order.
      value = (rank & step) != 0 ? combine(other, value) : combine(value, other);
    }
    return value;
  }
  T total = hipaudit::detail::shuffle_from(lanes, value, static_cast<int>(first));
  for (unsigned long long rest = lanes & (lanes - 1); rest != 0; rest &= rest - 1) {
    total = combine(total, hipaudit::detail::shuffle_from(lanes, value, __builtin_ctzll(rest)));
  }
  return total;
}

// The combination of the values of the ranks up to the caller's own.
template <typename Group, typename T, typename Combine = plus<T>>
HIPAUDIT_DEVICE T inclusive_scan(const Group& group, T value, Combine combine = Combine()) {
  const unsigned long long lanes = GroupLanes::of(group);
  T total = value;
  bool started = false;
  for (unsigned long long rest = lanes; rest != 0; rest &= rest - 1) {
    const int lane = __builtin_ctzll(rest);
    const T other = hipaudit::detail::shuffle_from(lanes, value, lane);
    if (lane > static_cast<int>(__lane_id())) continue;
    total = started ? combine(total, other) : other;
    started = true;
  }
  return total;
}

// The same without the caller's own; T() for the first.
template <typename Group, typename T, typename Combine = plus<T>>
HIPAUDIT_DEVICE T exclusive_scan(const Group& group, T value, Combine combine = Combine()) {
  const unsigned long long lanes = GroupLanes::of(group);
  const T through_own = inclusive_scan(group, value, combine);
  const unsigned int rank = hipaudit::detail::rank_among(lanes);
  const int before = hipaudit::detail::lane_of_rank(lanes, rank == 0 ? 0 : rank - 1);
  const T total = hipaudit::detail::shuffle_from(lanes, through_own, before);
  return rank == 0 ? T() : total;
}

}  // namespace cooperative_groups
