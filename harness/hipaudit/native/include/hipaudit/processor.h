// What kernels ask of AMD's processors by builtins besides waves and memory: who they are, clocks,
// hints to the scheduler, fp8 conversions.
#pragma once

#include "hipaudit/device_library.h"
#include "hipaudit/fp8_code.h"
#include "hipaudit/lane_moves.h"
#include "hipaudit/wave.h"

#if !defined(__AMDGCN__)

#define HIPAUDIT_WHERE(name, variable)                                            \
  HIPAUDIT_DEVICE unsigned __builtin_amdgcn_##name##_x() { return (variable).x; } \
  HIPAUDIT_DEVICE unsigned __builtin_amdgcn_##name##_y() { return (variable).y; } \
  HIPAUDIT_DEVICE unsigned __builtin_amdgcn_##name##_z() { return (variable).z; }
HIPAUDIT_WHERE(workitem_id, threadIdx)
HIPAUDIT_WHERE(workgroup_id, blockIdx)
HIPAUDIT_WHERE(workgroup_size, blockDim)
#undef HIPAUDIT_WHERE
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_grid_size_x() { return gridDim.x * blockDim.x; }
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_grid_size_y() { return gridDim.y * blockDim.y; }
HIPAUDIT_DEVICE unsigned __builtin_amdgcn_grid_size_z() { return gridDim.z * blockDim.z; }

HIPAUDIT_DEVICE unsigned long long __builtin_amdgcn_s_memtime() { return hipaudit_clock(); }
HIPAUDIT_DEVICE unsigned long long __builtin_amdgcn_s_memrealtime() { return hipaudit_clock(); }
HIPAUDIT_DEVICE void __builtin_amdgcn_iglp_opt(int) {}
HIPAUDIT_DEVICE void __builtin_amdgcn_s_nop(short) {}

HIPAUDIT_DEVICE int __builtin_amdgcn_writelane(int value, int lane, int old) {
  return static_cast<int>(__lane_id()) == (lane & (warpSize - 1)) ? value : old;
}
HIPAUDIT_DEVICE bool __builtin_amdgcn_inverse_ballot_w64(unsigned long long mask) {
  return (mask >> __lane_id() & 1) != 0;
}
HIPAUDIT_DEVICE bool __builtin_amdgcn_inverse_ballot_w32(unsigned mask) {
  return (mask >> __lane_id() & 1) != 0;
}

// Parts before CDNA 4 and RDNA 4 have the fnuz formats, parts before CDNA 3 have none.
#if defined(__gfx942__) || defined(__gfx950__) || defined(__GFX12__)
namespace hipaudit {

#if defined(__gfx942__)
constexpr __hip_fp8_interpretation_t kNativeFp8 = __HIP_E4M3_FNUZ;
constexpr __hip_fp8_interpretation_t kNativeBf8 = __HIP_E5M2_FNUZ;
#else
constexpr __hip_fp8_interpretation_t kNativeFp8 = __HIP_E4M3;
constexpr __hip_fp8_interpretation_t kNativeBf8 = __HIP_E5M2;
#endif

typedef float FloatPair __attribute__((ext_vector_type(2)));

// Two codes into one half of a word; the other half stays.
HIPAUDIT_DEVICE int pack_fp8(float low, float high, int old, bool upper,
                             __hip_fp8_interpretation_t format) {
  const unsigned both = detail::encode_fp8(low, __HIP_NOSAT, format) |
                        static_cast<unsigned>(detail::encode_fp8(high, __HIP_NOSAT, format)) << 8;
  const unsigned kept = static_cast<unsigned>(old) & (upper ? 0xffffu : 0xffff0000u);
  return static_cast<int>(kept | both << (upper ? 16 : 0));
}
HIPAUDIT_DEVICE float unpack_fp8(int packed, int place, __hip_fp8_interpretation_t format) {
  const unsigned code = static_cast<unsigned>(packed) >> (8 * place) & 0xff;
  return detail::decode_fp8(static_cast<__hip_fp8_storage_t>(code), format);
}

}  // namespace hipaudit

#define HIPAUDIT_FP8(name, format)                                                                 \
  HIPAUDIT_DEVICE int __builtin_amdgcn_cvt_pk_##name##_f32(float a, float b, int old,              \
                                                           bool upper) {                           \
    return hipaudit::pack_fp8(a, b, old, upper, format);                                           \
  }                                                                                                \
  HIPAUDIT_DEVICE float __builtin_amdgcn_cvt_f32_##name(int packed, int place) {                   \
    return hipaudit::unpack_fp8(packed, place, format);                                            \
  }                                                                                                \
  HIPAUDIT_DEVICE hipaudit::FloatPair __builtin_amdgcn_cvt_pk_f32_##name(int packed, bool upper) { \
    return {hipaudit::unpack_fp8(packed, upper ? 2 : 0, format),                                   \
            hipaudit::unpack_fp8(packed, upper ? 3 : 1, format)};                                  \
  }
HIPAUDIT_FP8(fp8, hipaudit::kNativeFp8)
HIPAUDIT_FP8(bf8, hipaudit::kNativeBf8)
#undef HIPAUDIT_FP8
#endif

#endif  // !__AMDGCN__

HIPAUDIT_DEVICE long long __clock64() { return clock64(); }
HIPAUDIT_DEVICE long __clock() { return clock(); }

// The names that HIP gives the builtins of lane_moves.h.
HIPAUDIT_DEVICE unsigned __hip_ds_bpermute(int index, unsigned value) {
  return static_cast<unsigned>(__builtin_amdgcn_ds_bpermute(index, static_cast<int>(value)));
}
HIPAUDIT_DEVICE float __hip_ds_bpermutef(int index, float value) {
  return __int_as_float(__builtin_amdgcn_ds_bpermute(index, __float_as_int(value)));
}
HIPAUDIT_DEVICE unsigned __hip_ds_permute(int index, unsigned value) {
  return static_cast<unsigned>(__builtin_amdgcn_ds_permute(index, static_cast<int>(value)));
}
HIPAUDIT_DEVICE float __hip_ds_permutef(int index, float value) {
  return __int_as_float(__builtin_amdgcn_ds_permute(index, __float_as_int(value)));
}
template <int kPattern>
HIPAUDIT_DEVICE unsigned __hip_ds_swizzle_N(unsigned value) {
  return static_cast<unsigned>(__builtin_amdgcn_ds_swizzle(static_cast<int>(value), kPattern));
}
template <int kPattern>
HIPAUDIT_DEVICE float __hip_ds_swizzlef_N(float value) {
  return __int_as_float(__builtin_amdgcn_ds_swizzle(__float_as_int(value), kPattern));
}
template <int kControl, int kRows, int kBanks, bool kBound>
HIPAUDIT_DEVICE int __hip_move_dpp_N(int value) {
  return __builtin_amdgcn_mov_dpp(value, kControl, kRows, kBanks, kBound);
}
#define __hip_ds_swizzle(value, pattern) __hip_ds_swizzle_N<(pattern)>((value))
#define __hip_ds_swizzlef(value, pattern) __hip_ds_swizzlef_N<(pattern)>((value))
#define __hip_move_dpp(value, control, rows, banks, bound) \
  __hip_move_dpp_N<(control), (rows), (banks), (bound)>((value))
