// The group types of cooperative groups.
//
// A group within a wave is a set of lanes. Its barrier and its votes are for all of its threads
// that have not exited; a shuffle is among those that execute it together, as on AMD.
#pragma once

#include "../hip/hip_runtime.h"
#include "group_lanes.h"

namespace cooperative_groups {

namespace internal {

enum group_type {
  cg_invalid,
  cg_multi_grid,
  cg_grid,
  cg_workgroup,
  cg_tiled_group,
  cg_coalesced_group,
};

}  // namespace internal

class thread_group {
 public:
  HIPAUDIT_DEVICE unsigned int num_threads() const {
    if (type_ == internal::cg_grid) {
      return hipaudit::detail::block_count() * hipaudit::detail::block_size();
    }
    if (type_ == internal::cg_workgroup) return hipaudit::detail::block_size();
    return hipaudit::detail::count_lanes(lanes_);
  }
  HIPAUDIT_DEVICE unsigned int size() const { return num_threads(); }
  HIPAUDIT_DEVICE unsigned int thread_rank() const {
    if (type_ == internal::cg_grid) {
      return hipaudit::detail::block_rank() * hipaudit::detail::block_size() +
             hipaudit::detail::thread_rank();
    }
    if (type_ == internal::cg_workgroup) return hipaudit::detail::thread_rank();
    return hipaudit::detail::rank_among(lanes_);
  }
  HIPAUDIT_DEVICE unsigned int cg_type() const { return type_; }
  HIPAUDIT_DEVICE bool is_valid() const { return type_ != internal::cg_invalid; }
  HIPAUDIT_DEVICE void sync() const {
    if (type_ == internal::cg_grid) {
      hipaudit_grid_sync();
    } else if (type_ == internal::cg_workgroup) {
      __syncthreads();
    } else {
      hipaudit::detail::sync_lanes(lanes_);
    }
  }

 protected:
  HIPAUDIT_DEVICE thread_group(internal::group_type type, unsigned long long lanes = 0,
                               unsigned int meta_rank = 0, unsigned int meta_size = 1)
      : lanes_(lanes), type_(type), meta_rank_(meta_rank), meta_size_(meta_size) {}

  unsigned long long lanes_;
  internal::group_type type_;
  unsigned int meta_rank_;  // which of the parts that its parent was split into
  unsigned int meta_size_;  // how many those are

 private:
  friend __device__ thread_group this_thread();
  friend __device__ thread_group tiled_partition(const thread_group& parent, unsigned int size);
};

class grid_group : public thread_group {
 public:
  HIPAUDIT_DEVICE unsigned int block_rank() const { return hipaudit::detail::block_rank(); }
  HIPAUDIT_DEVICE unsigned int num_blocks() const { return hipaudit::detail::block_count(); }
  HIPAUDIT_DEVICE dim3 group_dim() const { return gridDim; }
  __attribute__((
      unavailable("split barriers are not emulated: use sync()"))) __device__ unsigned int
  barrier_arrive() const;

 private:
  HIPAUDIT_DEVICE grid_group() : thread_group(internal::cg_grid) {}
  friend __device__ grid_group this_grid();
};

class thread_block : public thread_group {
 public:
  HIPAUDIT_DEVICE static unsigned int thread_rank() { return hipaudit::detail::thread_rank(); }
  HIPAUDIT_DEVICE static unsigned int num_threads() { return hipaudit::detail::block_size(); }
  HIPAUDIT_DEVICE static unsigned int size() { return hipaudit::detail::block_size(); }
  HIPAUDIT_DEVICE static unsigned int block_rank() { return hipaudit::detail::block_rank(); }
  HIPAUDIT_DEVICE static bool is_valid() { return true; }
  HIPAUDIT_DEVICE static void sync() { __syncthreads(); }
  HIPAUDIT_DEVICE static dim3 group_index() { return blockIdx; }
  HIPAUDIT_DEVICE static dim3 thread_index() { return threadIdx; }
  HIPAUDIT_DEVICE static dim3 group_dim() { return blockDim; }
  HIPAUDIT_DEVICE static dim3 dim_threads() { return blockDim; }
  __attribute__((
      unavailable("split barriers are not emulated: use sync()"))) __device__ unsigned int
  barrier_arrive() const;

 private:
  HIPAUDIT_DEVICE thread_block() : thread_group(internal::cg_workgroup) {}
  friend __device__ thread_block this_thread_block();
};

// A tile whose size is known when the kernel runs.
class tiled_group : public thread_group {
 public:
  HIPAUDIT_DEVICE unsigned int meta_group_rank() const { return meta_rank_; }
  HIPAUDIT_DEVICE unsigned int meta_group_size() const { return meta_size_; }

 protected:
  HIPAUDIT_DEVICE tiled_group(unsigned long long lanes, unsigned int meta_rank,
                              unsigned int meta_size)
      : thread_group(internal::cg_tiled_group, lanes, meta_rank, meta_size) {}

 private:
  friend __device__ tiled_group tiled_partition(const tiled_group& parent, unsigned int size);
};

// Threads of a wave that were active together.
class coalesced_group : public thread_group {
 public:
  HIPAUDIT_DEVICE unsigned int meta_group_rank() const { return meta_rank_; }
  HIPAUDIT_DEVICE unsigned int meta_group_size() const { return meta_size_; }

  template <typename T>
  HIPAUDIT_DEVICE T shfl(T value, int rank) const {
    const unsigned int source = static_cast<unsigned int>(rank) % num_threads();
    return __shfl(value, hipaudit::detail::lane_of_rank(lanes_, source));
  }
  // Beyond either end a thread gets its own value.
  template <typename T>
  HIPAUDIT_DEVICE T shfl_down(T value, unsigned int delta) const {
    const unsigned int rank = thread_rank();
    return shfl(value, static_cast<int>(delta < num_threads() - rank ? rank + delta : rank));
  }
  template <typename T>
  HIPAUDIT_DEVICE T shfl_up(T value, unsigned int delta) const {
    const unsigned int rank = thread_rank();
    return shfl(value, static_cast<int>(delta <= rank ? rank - delta : rank));
  }
  HIPAUDIT_DEVICE unsigned long long ballot(int predicate) const {
    return hipaudit::detail::by_rank(lanes_, hipaudit::detail::ballot_among(lanes_, predicate));
  }
  HIPAUDIT_DEVICE int any(int predicate) const {
    return hipaudit::detail::ballot_among(lanes_, predicate) != 0;
  }
  HIPAUDIT_DEVICE int all(int predicate) const {
    return hipaudit::detail::ballot_among(lanes_, !predicate) == 0;
  }
  template <typename T>
  HIPAUDIT_DEVICE unsigned long long match_any(T value) const {
    return hipaudit::detail::by_rank(lanes_, hipaudit::detail::match_among(lanes_, value));
  }
  template <typename T>
  HIPAUDIT_DEVICE unsigned long long match_all(T value, int& all_same) const {
    return hipaudit::detail::by_rank(lanes_,
                                     hipaudit::detail::match_all_among(lanes_, value, &all_same));
  }

 private:
  HIPAUDIT_DEVICE coalesced_group(unsigned long long lanes, unsigned int meta_rank = 0,
                                  unsigned int meta_size = 1)
      : thread_group(internal::cg_coalesced_group, lanes, meta_rank, meta_size) {}
  HIPAUDIT_DEVICE unsigned long long lanes() const { return lanes_; }

  friend __device__ coalesced_group coalesced_threads();
  friend __device__ coalesced_group tiled_partition(const coalesced_group& parent,
                                                    unsigned int size);
  template <typename Group>
  friend __device__ coalesced_group binary_partition(const Group& parent, bool predicate);
  friend struct GroupLanes;
};

// A tile whose size the compiler knows: aligned lanes of one wave.
template <unsigned int kSize, typename Parent = void>
class thread_block_tile : public tiled_group {
  static_assert(kSize > 0 && (kSize & (kSize - 1)) == 0 &&
                    kSize <= static_cast<unsigned int>(warpSize),
                "a tile's size is a power of two of at most the wave's size");

 public:
  // Any tile of the size, whatever its parent, as thread_block_tile<size>.
  template <typename Other>
  HIPAUDIT_DEVICE thread_block_tile(const thread_block_tile<kSize, Other>& other)
      : tiled_group(hipaudit::detail::tile_lanes(kSize), other.meta_group_rank(),
                    other.meta_group_size()) {}

  HIPAUDIT_DEVICE static constexpr unsigned int num_threads() { return kSize; }
  HIPAUDIT_DEVICE static constexpr unsigned int size() { return kSize; }
  HIPAUDIT_DEVICE static unsigned int thread_rank() {
    return hipaudit::detail::thread_rank() & (kSize - 1);
  }
  HIPAUDIT_DEVICE static void sync() { hipaudit::detail::sync_lanes(lanes()); }

  template <typename T>
  HIPAUDIT_DEVICE T shfl(T value, int rank) const {
    return __shfl(value, rank, static_cast<int>(kSize));
  }
  template <typename T>
  HIPAUDIT_DEVICE T shfl_down(T value, unsigned int delta) const {
    return __shfl_down(value, delta, static_cast<int>(kSize));
  }
  template <typename T>
  HIPAUDIT_DEVICE T shfl_up(T value, unsigned int delta) const {
    return __shfl_up(value, delta, static_cast<int>(kSize));
  }
  template <typename T>
  HIPAUDIT_DEVICE T shfl_xor(T value, unsigned int mask) const {
    return __shfl_xor(value, static_cast<int>(mask), static_cast<int>(kSize));
  }
  HIPAUDIT_DEVICE unsigned long long ballot(int predicate) const {
    return by_rank(hipaudit::detail::ballot_among(lanes(), predicate));
  }
  HIPAUDIT_DEVICE int any(int predicate) const {
    return hipaudit::detail::ballot_among(lanes(), predicate) != 0;
  }
  HIPAUDIT_DEVICE int all(int predicate) const {
    return hipaudit::detail::ballot_among(lanes(), !predicate) == 0;
  }
  template <typename T>
  HIPAUDIT_DEVICE unsigned long long match_any(T value) const {
    return by_rank(hipaudit::detail::match_among(lanes(), value));
  }
  template <typename T>
  HIPAUDIT_DEVICE unsigned long long match_all(T value, int& all_same) const {
    return by_rank(hipaudit::detail::match_all_among(lanes(), value, &all_same));
  }

 private:
  HIPAUDIT_DEVICE thread_block_tile(unsigned int meta_rank, unsigned int meta_size)
      : tiled_group(lanes(), meta_rank, meta_size) {}
  HIPAUDIT_DEVICE static unsigned long long lanes() { return hipaudit::detail::tile_lanes(kSize); }
  HIPAUDIT_DEVICE static unsigned long long by_rank(unsigned long long bits) {
    return (bits >> (__lane_id() & ~(kSize - 1))) & hipaudit::detail::lanes_below(kSize);
  }

  template <unsigned int kTile, typename Group>
  friend __device__ thread_block_tile<kTile, Group> tiled_partition(const Group& parent);
  template <typename Group>
  friend __device__ coalesced_group binary_partition(const Group& parent, bool predicate);
  friend struct GroupLanes;
};

// Whose lanes the collective functions work on.
struct GroupLanes {
  template <typename Group>
  HIPAUDIT_DEVICE static unsigned long long of(const Group& group) {
    return group.lanes();
  }
};

}  // namespace cooperative_groups
