// Sets of lanes of the calling thread's wave, as cooperative groups use them: bit i is lane i.
#pragma once

#include "builtin_variables.h"
#include "wave.h"

namespace hipaudit::detail {

HIPAUDIT_DEVICE unsigned thread_rank() {
  return context_word<__builtin_offsetof(Context, thread.flat)>();
}
HIPAUDIT_DEVICE unsigned block_size() {
  return context_word<__builtin_offsetof(Context, block_dim.flat)>();
}
HIPAUDIT_DEVICE unsigned block_rank() {
  return context_word<__builtin_offsetof(Context, block.flat)>();
}
HIPAUDIT_DEVICE unsigned block_count() {
  return context_word<__builtin_offsetof(Context, grid_dim.flat)>();
}

HIPAUDIT_DEVICE unsigned long long lanes_below(unsigned lane) {
  return lane >= 64 ? ~0ull : (1ull << lane) - 1;
}

// The aligned `size` lanes round the caller, less those that the block's last wave does not have.
HIPAUDIT_DEVICE unsigned long long tile_lanes(unsigned size) {
  const unsigned wave_begin = thread_rank() & ~(static_cast<unsigned>(warpSize) - 1);
  const unsigned long long existing = lanes_below(block_size() - wave_begin);
  return (lanes_below(size) << (__lane_id() & ~(size - 1))) & existing;
}

HIPAUDIT_DEVICE unsigned count_lanes(unsigned long long lanes) {
  return static_cast<unsigned>(__builtin_popcountll(lanes));
}

HIPAUDIT_DEVICE unsigned rank_among(unsigned long long lanes) {
  return count_lanes(lanes & lanes_below(__lane_id()));
}

// The lane of a rank, which must be below the count.
HIPAUDIT_DEVICE int lane_of_rank(unsigned long long lanes, unsigned rank) {
  for (; rank != 0; --rank) lanes &= lanes - 1;
  return __builtin_ctzll(lanes);
}

// The `count` lanes from `rank` on, fewer at the end.
HIPAUDIT_DEVICE unsigned long long lanes_of_ranks(unsigned long long lanes, unsigned rank,
                                                  unsigned count) {
  for (; rank != 0; --rank) lanes &= lanes - 1;
  unsigned long long rest = lanes;
  for (; count != 0; --count) rest &= rest - 1;
  return lanes ^ rest;
}

// Bits by lane to bits by rank.
HIPAUDIT_DEVICE unsigned long long by_rank(unsigned long long lanes, unsigned long long bits) {
  unsigned long long packed = 0;
  for (unsigned rank = 0; lanes != 0; ++rank, lanes &= lanes - 1) {
    packed |= ((bits >> __builtin_ctzll(lanes)) & 1) << rank;
  }
  return packed;
}

// For those of the lanes that have not ended.
HIPAUDIT_DEVICE void sync_lanes(unsigned long long lanes) { hipaudit_wave_sync(lanes, 0); }
HIPAUDIT_DEVICE unsigned long long ballot_among(unsigned long long lanes, int predicate) {
  return hipaudit_wave_ballot(predicate, lanes, 0);
}
template <typename T>
HIPAUDIT_DEVICE unsigned long long match_among(unsigned long long lanes, T value) {
  return hipaudit_wave_match(to_bits(value), lanes, 0);
}
template <typename T>
HIPAUDIT_DEVICE unsigned long long match_all_among(unsigned long long lanes, T value, int* all) {
  *all = match_among(lanes, value) == ballot_among(lanes, 1);
  return *all ? lanes : 0;
}

// A value of any size from a lane, by 8 bytes at a time; every lane of `lanes` calls it.
template <typename T>
HIPAUDIT_DEVICE T shuffle_from(unsigned long long lanes, T value, int lane) {
  static_assert(__is_trivially_copyable(T), "lanes exchange trivially copyable values");
  constexpr unsigned kWords = (sizeof(T) + 7) / 8;
  unsigned long long words[kWords] = {};
  __builtin_memcpy(words, &value, sizeof value);
  for (unsigned long long& word : words) word = hipaudit_wave_shuffle(word, lane, lanes, 0);
  __builtin_memcpy(&value, words, sizeof value);
  return value;
}

}  // namespace hipaudit::detail
