// The largest of values and where it is: an operation for block_reduce.h.
//
// Policy    of equal values the lower index wins; -0 equals +0. A NaN never wins: a caller for
// which
//           one counts gives it another key.
#pragma once

#include <hip/hip_runtime.h>

namespace best {

struct Entry {
  float value;
  int index;
};

// What any other entry replaces.
__device__ inline Entry none() { return {-__builtin_huge_valf(), 0x7fffffff}; }

__device__ inline bool precedes(Entry a, Entry b) {
  return a.value > b.value || (a.value == b.value && a.index < b.index);
}

// Entries by value, chosen member by member: a choice between addresses would put them into memory.
struct Larger {
  __device__ Entry operator()(Entry a, Entry b) const {
    const bool first = precedes(a, b);
    return {first ? a.value : b.value, first ? a.index : b.index};
  }
};

// Both words at once.
__device__ inline Entry from_lane_across(Entry entry, int distance) {
  const auto bits = __builtin_bit_cast(unsigned long long, entry);
  return __builtin_bit_cast(Entry, __shfl_xor(bits, distance));
}

}  // namespace best
