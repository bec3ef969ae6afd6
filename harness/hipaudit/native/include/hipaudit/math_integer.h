// HIP's integer intrinsics. Unsigned arithmetic throughout: what wraps on AMD wraps here, with no
// undefined behaviour for a checked build to find.
#pragma once

#include "../hip/host_defines.h"

HIPAUDIT_DEVICE int __clz(int x) { return __builtin_clzg(static_cast<unsigned>(x), 32); }
HIPAUDIT_DEVICE int __clzll(long long x) {
  return __builtin_clzg(static_cast<unsigned long long>(x), 64);
}
HIPAUDIT_DEVICE int __ffs(int x) { return __builtin_ffs(x); }
HIPAUDIT_DEVICE int __ffs(unsigned x) { return __builtin_ffs(static_cast<int>(x)); }
HIPAUDIT_DEVICE int __ffs(long long x) { return __builtin_ffsll(x); }
HIPAUDIT_DEVICE int __ffs(unsigned long long x) {
  return __builtin_ffsll(static_cast<long long>(x));
}
HIPAUDIT_DEVICE int __ffsll(long long x) { return __builtin_ffsll(x); }
HIPAUDIT_DEVICE int __ffsll(unsigned long long x) { return __ffs(x); }
HIPAUDIT_DEVICE int __popc(unsigned x) { return __builtin_popcount(x); }
HIPAUDIT_DEVICE int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
HIPAUDIT_DEVICE unsigned __brev(unsigned x) { return __builtin_bitreverse32(x); }
HIPAUDIT_DEVICE unsigned long long __brevll(unsigned long long x) {
  return __builtin_bitreverse64(x);
}
// The index of the lowest set bit, or -1.
HIPAUDIT_DEVICE unsigned __lastbit_u32_u32(unsigned x) {
  return static_cast<unsigned>(__builtin_ctzg(x, -1));
}
HIPAUDIT_DEVICE unsigned __lastbit_u32_u64(unsigned long long x) {
  return static_cast<unsigned>(__builtin_ctzg(x, -1));
}

// The low 24 bits of each, sign-extended or not.
HIPAUDIT_DEVICE int __mul24(int x, int y) {
  const int a = static_cast<int>(static_cast<unsigned>(x) << 8) >> 8;
  const int b = static_cast<int>(static_cast<unsigned>(y) << 8) >> 8;
  return static_cast<int>(static_cast<unsigned>(a) * static_cast<unsigned>(b));
}
HIPAUDIT_DEVICE unsigned __umul24(unsigned x, unsigned y) {
  return (x & 0xffffffu) * (y & 0xffffffu);
}
HIPAUDIT_DEVICE int __mulhi(int x, int y) {
  return static_cast<int>((static_cast<long long>(x) * y) >> 32);
}
HIPAUDIT_DEVICE unsigned __umulhi(unsigned x, unsigned y) {
  return static_cast<unsigned>((static_cast<unsigned long long>(x) * y) >> 32);
}
HIPAUDIT_DEVICE long long __mul64hi(long long x, long long y) {
  return static_cast<long long>((static_cast<__int128>(x) * y) >> 64);
}
HIPAUDIT_DEVICE unsigned long long __umul64hi(unsigned long long x, unsigned long long y) {
  return static_cast<unsigned long long>((static_cast<unsigned __int128>(x) * y) >> 64);
}

// |x - y| + z
HIPAUDIT_DEVICE unsigned __sad(int x, int y, unsigned z) {
  const unsigned a = static_cast<unsigned>(x), b = static_cast<unsigned>(y);
  return (x > y ? a - b : b - a) + z;
}
HIPAUDIT_DEVICE unsigned __usad(unsigned x, unsigned y, unsigned z) {
  return (x > y ? x - y : y - x) + z;
}
// (x + y)/2 without overflow, rounded down; the r forms round up.
HIPAUDIT_DEVICE int __hadd(int x, int y) {
  return static_cast<int>((static_cast<long long>(x) + y) >> 1);
}
HIPAUDIT_DEVICE int __rhadd(int x, int y) {
  return static_cast<int>((static_cast<long long>(x) + y + 1) >> 1);
}
HIPAUDIT_DEVICE unsigned __uhadd(unsigned x, unsigned y) { return (x & y) + ((x ^ y) >> 1); }
HIPAUDIT_DEVICE unsigned __urhadd(unsigned x, unsigned y) { return (x | y) - ((x ^ y) >> 1); }

// Four bytes chosen from y:x by the low three bits of each nibble of `selector`.
HIPAUDIT_DEVICE unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  const unsigned long long bytes = (static_cast<unsigned long long>(y) << 32) | x;
  unsigned result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned from = ((selector >> (4 * i)) & 7u) * 8u;
    result |= (static_cast<unsigned>(bytes >> from) & 0xffu) << (8 * i);
  }
  return result;
}

HIPAUDIT_DEVICE unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return __builtin_elementwise_fshl(high, low, shift);
}
HIPAUDIT_DEVICE unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return __builtin_elementwise_fshr(high, low, shift);
}
HIPAUDIT_DEVICE unsigned __funnelshift_lc(unsigned low, unsigned high, unsigned shift) {
  return shift >= 32 ? low : __funnelshift_l(low, high, shift);
}
HIPAUDIT_DEVICE unsigned __funnelshift_rc(unsigned low, unsigned high, unsigned shift) {
  return shift >= 32 ? high : __funnelshift_r(low, high, shift);
}

// `width` bits from bit `start`, and their replacement by the low bits of `bits`.
HIPAUDIT_DEVICE unsigned __bitextract_u32(unsigned x, unsigned start, unsigned width) {
  const unsigned at = start & 31u, count = width & 31u;
  const unsigned low = x >> at;
  return count == 0 ? 0 : low & (~0u >> (32 - count));
}
HIPAUDIT_DEVICE unsigned long long __bitextract_u64(unsigned long long x, unsigned start,
                                                    unsigned width) {
  const unsigned at = start & 63u, count = width & 63u;
  const unsigned long long low = x >> at;
  return count == 0 ? 0 : low & (~0ull >> (64 - count));
}
HIPAUDIT_DEVICE unsigned __bitinsert_u32(unsigned x, unsigned bits, unsigned start,
                                         unsigned width) {
  const unsigned at = start & 31u, mask = (1u << (width & 31u)) - 1u;
  return (x & ~(mask << at)) | ((bits & mask) << at);
}
HIPAUDIT_DEVICE unsigned long long __bitinsert_u64(unsigned long long x, unsigned long long bits,
                                                   unsigned start, unsigned width) {
  const unsigned at = start & 63u;
  const unsigned long long mask = (1ull << (width & 63u)) - 1u;
  return (x & ~(mask << at)) | ((bits & mask) << at);
}

// The position of the offset-th set bit from `base` (upwards for a positive offset), or all ones.
template <typename T>
HIPAUDIT_DEVICE int hipaudit_find_nth_set(T mask, unsigned base, int offset) {
  constexpr int kBits = static_cast<int>(sizeof(T) * 8);
  const int step = offset < 0 ? -1 : 1;
  int left = offset < 0 ? -offset : offset;
  if (left == 0) left = 1, offset = 0;
  for (int bit = static_cast<int>(base); bit >= 0 && bit < kBits; bit += step) {
    if (((mask >> bit) & 1u) != 0 && --left == 0) return bit;
    if (offset == 0) break;
  }
  return -1;
}
HIPAUDIT_DEVICE int __fns32(unsigned long long mask, unsigned base, int offset) {
  return hipaudit_find_nth_set(static_cast<unsigned>(mask), base, offset);
}
HIPAUDIT_DEVICE int __fns64(unsigned long long mask, unsigned base, int offset) {
  return hipaudit_find_nth_set(mask, base, offset);
}
HIPAUDIT_DEVICE int __fns(unsigned mask, unsigned base, int offset) {
  return hipaudit_find_nth_set(mask, base, offset);
}
