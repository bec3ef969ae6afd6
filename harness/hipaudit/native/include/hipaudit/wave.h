// Operations between the lanes of a wave.
#pragma once

#include "hip/host_defines.h"
#include "hipaudit/builtin_variables.h"
#include "hipaudit/synchronisation.h"

extern "C" {
// `named`: the mask is the kernel's own, which all that it names must give at the same place.
__device__ unsigned long long hipaudit_wave_ballot(int predicate, unsigned long long mask,
                                                   int named) HIPAUDIT_CONVERGENT;
__device__ unsigned long long hipaudit_wave_shuffle(unsigned long long value, int source,
                                                    unsigned long long mask,
                                                    int named) HIPAUDIT_CONVERGENT;
// Reads zero from a lane that does not take part, as the instruction does.
__device__ unsigned long long hipaudit_wave_permute(unsigned long long value,
                                                    int source) HIPAUDIT_CONVERGENT;
__device__ unsigned long long hipaudit_wave_first(unsigned long long value) HIPAUDIT_CONVERGENT;
__device__ unsigned long long hipaudit_wave_match(unsigned long long value, unsigned long long mask,
                                                  int named) HIPAUDIT_CONVERGENT;
__device__ void hipaudit_wave_sync(unsigned long long mask, int named) HIPAUDIT_CONVERGENT;
__device__ void hipaudit_wave_barrier() HIPAUDIT_CONVERGENT;
}

HIPAUDIT_DEVICE unsigned __lane_id() {
#if defined(__AMDGCN__)
  const unsigned low = __builtin_amdgcn_mbcnt_lo(~0u, 0u);
  return warpSize == 32 ? low : __builtin_amdgcn_mbcnt_hi(~0u, low);
#else
  return hipaudit::context_word<__builtin_offsetof(hipaudit::Context, thread.flat)>() &
         (warpSize - 1);
#endif
}

namespace hipaudit {

template <class T>
HIPAUDIT_DEVICE unsigned long long to_bits(T value) {
  static_assert(sizeof(T) <= 8, "a wave operation carries values of up to 8 bytes");
  unsigned long long bits = 0;
  __builtin_memcpy(&bits, &value, sizeof value);
  return bits;
}

template <class T>
HIPAUDIT_DEVICE T from_bits(unsigned long long bits) {
  T value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

// Segments of `width` lanes, a power of two, shuffle among themselves.
HIPAUDIT_DEVICE int segment_source(int lane, int width) {
  int self = static_cast<int>(__lane_id());
  return (self & ~(width - 1)) + (lane & (width - 1));
}
HIPAUDIT_DEVICE int up_source(unsigned delta, int width) {
  int self = static_cast<int>(__lane_id());
  int from = self - static_cast<int>(delta);
  return from < (self & ~(width - 1)) ? self : from;
}
HIPAUDIT_DEVICE int down_source(unsigned delta, int width) {
  int self = static_cast<int>(__lane_id());
  int place = (self & (width - 1)) + static_cast<int>(delta);
  return place >= width ? self : self + static_cast<int>(delta);
}
HIPAUDIT_DEVICE int xor_source(int mask, int width) {
  int self = static_cast<int>(__lane_id());
  int from = self ^ mask;
  return from >= ((self + width) & ~(width - 1)) ? self : from;
}

}  // namespace hipaudit

// Values are any trivially copyable type of up to 8 bytes: integers, float, double, half, half2.
template <class T>
HIPAUDIT_DEVICE T __shfl(T value, int lane, int width = warpSize) {
  return hipaudit::from_bits<T>(
      hipaudit_wave_shuffle(hipaudit::to_bits(value), hipaudit::segment_source(lane, width), 0, 0));
}
template <class T>
HIPAUDIT_DEVICE T __shfl_up(T value, unsigned delta, int width = warpSize) {
  return hipaudit::from_bits<T>(
      hipaudit_wave_shuffle(hipaudit::to_bits(value), hipaudit::up_source(delta, width), 0, 0));
}
template <class T>
HIPAUDIT_DEVICE T __shfl_down(T value, unsigned delta, int width = warpSize) {
  return hipaudit::from_bits<T>(
      hipaudit_wave_shuffle(hipaudit::to_bits(value), hipaudit::down_source(delta, width), 0, 0));
}
template <class T>
HIPAUDIT_DEVICE T __shfl_xor(T value, int mask, int width = warpSize) {
  return hipaudit::from_bits<T>(
      hipaudit_wave_shuffle(hipaudit::to_bits(value), hipaudit::xor_source(mask, width), 0, 0));
}

namespace hipaudit {
template <class Mask>
HIPAUDIT_DEVICE unsigned long long lane_mask(Mask mask) {
  static_assert(sizeof(Mask) == 8, "the mask of a _sync operation must be a 64-bit integer");
  // Waves of 32 lanes have no use for the upper half.
  return static_cast<unsigned long long>(mask) & (~0ull >> (64 - warpSize));
}
}  // namespace hipaudit

template <class Mask, class T>
HIPAUDIT_DEVICE T __shfl_sync(Mask mask, T value, int lane, int width = warpSize) {
  return hipaudit::from_bits<T>(hipaudit_wave_shuffle(hipaudit::to_bits(value),
                                                      hipaudit::segment_source(lane, width),
                                                      hipaudit::lane_mask(mask), 1));
}
template <class Mask, class T>
HIPAUDIT_DEVICE T __shfl_up_sync(Mask mask, T value, unsigned delta, int width = warpSize) {
  return hipaudit::from_bits<T>(hipaudit_wave_shuffle(
      hipaudit::to_bits(value), hipaudit::up_source(delta, width), hipaudit::lane_mask(mask), 1));
}
template <class Mask, class T>
HIPAUDIT_DEVICE T __shfl_down_sync(Mask mask, T value, unsigned delta, int width = warpSize) {
  return hipaudit::from_bits<T>(hipaudit_wave_shuffle(
      hipaudit::to_bits(value), hipaudit::down_source(delta, width), hipaudit::lane_mask(mask), 1));
}
template <class Mask, class T>
HIPAUDIT_DEVICE T __shfl_xor_sync(Mask mask, T value, int lane_xor, int width = warpSize) {
  return hipaudit::from_bits<T>(hipaudit_wave_shuffle(hipaudit::to_bits(value),
                                                      hipaudit::xor_source(lane_xor, width),
                                                      hipaudit::lane_mask(mask), 1));
}

HIPAUDIT_DEVICE unsigned long long __ballot(int predicate) {
  return hipaudit_wave_ballot(predicate, 0, 0);
}
HIPAUDIT_DEVICE unsigned long long __ballot64(int predicate) {
  return hipaudit_wave_ballot(predicate, 0, 0);
}
HIPAUDIT_DEVICE unsigned long long __activemask() { return hipaudit_wave_ballot(1, 0, 0); }
HIPAUDIT_DEVICE int __any(int predicate) { return hipaudit_wave_ballot(predicate, 0, 0) != 0; }
HIPAUDIT_DEVICE int __all(int predicate) { return hipaudit_wave_ballot(!predicate, 0, 0) == 0; }

template <class Mask>
HIPAUDIT_DEVICE unsigned long long __ballot_sync(Mask mask, int predicate) {
  return hipaudit_wave_ballot(predicate, hipaudit::lane_mask(mask), 1);
}
template <class Mask>
HIPAUDIT_DEVICE int __any_sync(Mask mask, int predicate) {
  return hipaudit_wave_ballot(predicate, hipaudit::lane_mask(mask), 1) != 0;
}
template <class Mask>
HIPAUDIT_DEVICE int __all_sync(Mask mask, int predicate) {
  return hipaudit_wave_ballot(!predicate, hipaudit::lane_mask(mask), 1) == 0;
}

template <class T>
HIPAUDIT_DEVICE unsigned long long __match_any(T value) {
  return hipaudit_wave_match(hipaudit::to_bits(value), 0, 0);
}
template <class Mask, class T>
HIPAUDIT_DEVICE unsigned long long __match_any_sync(Mask mask, T value) {
  return hipaudit_wave_match(hipaudit::to_bits(value), hipaudit::lane_mask(mask), 1);
}
template <class T>
HIPAUDIT_DEVICE unsigned long long __match_all(T value, int* all) {
  unsigned long long active = __activemask();
  *all = hipaudit_wave_match(hipaudit::to_bits(value), 0, 0) == active;
  return *all ? active : 0;
}
template <class Mask, class T>
HIPAUDIT_DEVICE unsigned long long __match_all_sync(Mask mask, T value, int* all) {
  unsigned long long same =
      hipaudit_wave_match(hipaudit::to_bits(value), hipaudit::lane_mask(mask), 1);
  *all = same == hipaudit::lane_mask(mask);
  return *all ? same : 0;
}

// Orders the memory of the lanes; the bare wave_barrier only brings them together.
HIPAUDIT_DEVICE void __syncwarp() { hipaudit_wave_sync(0, 0); }
template <class Mask>
HIPAUDIT_DEVICE void __syncwarp(Mask mask) {
  hipaudit_wave_sync(hipaudit::lane_mask(mask), 1);
}

namespace hipaudit {

template <class T, class Combine>
HIPAUDIT_DEVICE T reduce_lanes(unsigned long long mask, T value, Combine combine) {
  T sum = value;
  bool first = true;
  for (unsigned long long rest = mask; rest != 0; rest &= rest - 1) {
    T other = from_bits<T>(hipaudit_wave_shuffle(to_bits(value), __builtin_ctzll(rest), mask, 1));
    sum = first ? other : combine(sum, other);
    first = false;
  }
  return sum;
}

}  // namespace hipaudit

#define HIPAUDIT_REDUCE(name, expression)                                          \
  template <class Mask, class T>                                                   \
  HIPAUDIT_DEVICE T name(Mask mask, T value) {                                     \
    return hipaudit::reduce_lanes(hipaudit::lane_mask(mask), value,                \
                                  [](T a, T b) __device__ { return expression; }); \
  }
HIPAUDIT_REDUCE(__reduce_add_sync, static_cast<T>(a + b))
HIPAUDIT_REDUCE(__reduce_min_sync, b < a ? b : a)
HIPAUDIT_REDUCE(__reduce_max_sync, a < b ? b : a)
HIPAUDIT_REDUCE(__reduce_and_sync, static_cast<T>(a& b))
HIPAUDIT_REDUCE(__reduce_or_sync, static_cast<T>(a | b))
HIPAUDIT_REDUCE(__reduce_xor_sync, static_cast<T>(a ^ b))
#undef HIPAUDIT_REDUCE

#if !defined(__AMDGCN__)
HIPAUDIT_DEVICE void __builtin_amdgcn_wave_barrier() { hipaudit_wave_barrier(); }
HIPAUDIT_DEVICE int __builtin_amdgcn_readfirstlane(int value) {
  return hipaudit::from_bits<int>(hipaudit_wave_first(hipaudit::to_bits(value)));
}
HIPAUDIT_DEVICE int __builtin_amdgcn_readlane(int value, int lane) {
  return hipaudit::from_bits<int>(hipaudit_wave_permute(hipaudit::to_bits(value), lane));
}
HIPAUDIT_DEVICE int __builtin_amdgcn_ds_bpermute(int address, int value) {
  return hipaudit::from_bits<int>(hipaudit_wave_permute(hipaudit::to_bits(value), address >> 2));
}
HIPAUDIT_DEVICE unsigned long long __builtin_amdgcn_read_exec() { return __activemask(); }
HIPAUDIT_DEVICE unsigned long long __builtin_amdgcn_ballot_w64(bool predicate) {
  return hipaudit_wave_ballot(predicate, 0, 0);
}
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_ballot_w32(bool predicate) {
  return static_cast<unsigned>(hipaudit_wave_ballot(predicate, 0, 0));
}
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_mbcnt_lo(unsigned mask, unsigned base) {
  unsigned lane = __lane_id();
  unsigned below = lane >= 32 ? ~0u : (1u << lane) - 1;
  return base + static_cast<unsigned>(__builtin_popcount(mask & below));
}
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_mbcnt_hi(unsigned mask, unsigned base) {
  unsigned lane = __lane_id();
  unsigned below = lane <= 32 ? 0u : (1u << (lane - 32)) - 1;
  return base + static_cast<unsigned>(__builtin_popcount(mask & below));
}
HIPAUDIT_DEVICE int __builtin_amdgcn_wavefrontsize() { return warpSize; }
#endif
