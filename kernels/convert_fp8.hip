// Conversion between the four 8-bit formats and float32, fp16 and bfloat16.
//
// Formula   y[i] = x[i], rounded once to nearest, ties to even, where y is 8 bits; exact where it
//           is not: every value of the four formats is one of each of the others.
// Formats   e4m3fn and e5m2: OCP 8-bit Floating Point Specification 1.0; e4m3fnuz and e5m2fnuz: the
//           ones without infinity and negative zero that gfx942 has in hardware.
// Layout    x, y: count elements, contiguous, not overlapping.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.
// Policy    beyond the largest finite number: saturate != 0 gives that number, for an infinity as
//           well; else infinity, or NaN where the format has none. NaN stays NaN.

#include <hip/hip_fp8.h>

#include "include/elementwise.h"
#include "include/lanes8.h"

using Code = __hip_fp8_storage_t;
using Format = __hip_fp8_interpretation_t;

template <Format kFormat, class Element>
__device__ void narrow(const Element* x, Code* y, size_t count, int saturate) {
  constexpr float kLargest = 3.40282347e+38f;
  auto encode = [saturate](Element value) {
    const float wide = lanes8::widen(value);
    if (!saturate) return __hip_cvt_float_to_fp8(wide, __HIP_NOSAT, kFormat);
    // Saturation is of finite numbers: an infinity becomes one first.
    const bool infinite = fabsf(wide) > kLargest;
    return __hip_cvt_float_to_fp8(infinite ? copysignf(kLargest, wide) : wide, __HIP_SATFINITE,
                                  kFormat);
  };
  elementwise::map(count, y, encode, x);
}

template <Format kFormat, class Element>
__device__ void widen(const Code* x, Element* y, size_t count) {
  auto decode = [](Code code) {
    const __half half = __hip_cvt_fp8_to_halfraw(code, kFormat);
    Element value;
    lanes8::store(&value, __half2float(half));
    return value;
  };
  elementwise::map(count, y, decode, x);
}

extern "C" __global__ __launch_bounds__(256) void convert_f32_e4m3fn(const float* x, Code* y,
                                                                     size_t count, int saturate) {
  narrow<__HIP_E4M3>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e4m3fn_f32(const Code* x, float* y,
                                                                     size_t count) {
  widen<__HIP_E4M3>(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void convert_f16_e4m3fn(const __half* x, Code* y,
                                                                     size_t count, int saturate) {
  narrow<__HIP_E4M3>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e4m3fn_f16(const Code* x, __half* y,
                                                                     size_t count) {
  widen<__HIP_E4M3>(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void convert_bf16_e4m3fn(const __hip_bfloat16* x,
                                                                      Code* y, size_t count,
                                                                      int saturate) {
  narrow<__HIP_E4M3>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e4m3fn_bf16(const Code* x,
                                                                      __hip_bfloat16* y,
                                                                      size_t count) {
  widen<__HIP_E4M3>(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void convert_f32_e4m3fnuz(const float* x, Code* y,
                                                                       size_t count, int saturate) {
  narrow<__HIP_E4M3_FNUZ>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e4m3fnuz_f32(const Code* x, float* y,
                                                                       size_t count) {
  widen<__HIP_E4M3_FNUZ>(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void convert_f16_e4m3fnuz(const __half* x, Code* y,
                                                                       size_t count, int saturate) {
  narrow<__HIP_E4M3_FNUZ>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e4m3fnuz_f16(const Code* x, __half* y,
                                                                       size_t count) {
  widen<__HIP_E4M3_FNUZ>(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void convert_bf16_e4m3fnuz(const __hip_bfloat16* x,
                                                                        Code* y, size_t count,
                                                                        int saturate) {
  narrow<__HIP_E4M3_FNUZ>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e4m3fnuz_bf16(const Code* x,
                                                                        __hip_bfloat16* y,
                                                                        size_t count) {
  widen<__HIP_E4M3_FNUZ>(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void convert_f32_e5m2(const float* x, Code* y,
                                                                   size_t count, int saturate) {
  narrow<__HIP_E5M2>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e5m2_f32(const Code* x, float* y,
                                                                   size_t count) {
  widen<__HIP_E5M2>(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void convert_f16_e5m2(const __half* x, Code* y,
                                                                   size_t count, int saturate) {
  narrow<__HIP_E5M2>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e5m2_f16(const Code* x, __half* y,
                                                                   size_t count) {
  widen<__HIP_E5M2>(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void convert_bf16_e5m2(const __hip_bfloat16* x,
                                                                    Code* y, size_t count,
                                                                    int saturate) {
  narrow<__HIP_E5M2>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e5m2_bf16(const Code* x,
                                                                    __hip_bfloat16* y,
                                                                    size_t count) {
  widen<__HIP_E5M2>(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void convert_f32_e5m2fnuz(const float* x, Code* y,
                                                                       size_t count, int saturate) {
  narrow<__HIP_E5M2_FNUZ>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e5m2fnuz_f32(const Code* x, float* y,
                                                                       size_t count) {
  widen<__HIP_E5M2_FNUZ>(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void convert_f16_e5m2fnuz(const __half* x, Code* y,
                                                                       size_t count, int saturate) {
  narrow<__HIP_E5M2_FNUZ>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e5m2fnuz_f16(const Code* x, __half* y,
                                                                       size_t count) {
  widen<__HIP_E5M2_FNUZ>(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void convert_bf16_e5m2fnuz(const __hip_bfloat16* x,
                                                                        Code* y, size_t count,
                                                                        int saturate) {
  narrow<__HIP_E5M2_FNUZ>(x, y, count, saturate);
}

extern "C" __global__ __launch_bounds__(256) void convert_e5m2fnuz_bf16(const Code* x,
                                                                        __hip_bfloat16* y,
                                                                        size_t count) {
  widen<__HIP_E5M2_FNUZ>(x, y, count);
}
