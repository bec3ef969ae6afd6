// Written by tools/math_tables.py with mpmath at 120 digits; do not edit.
#pragma once

// clang-format off
namespace hipaudit::math {

// expm1(r)/r, |r| <= ln(2)/2; relative error 2^-37.5
inline constexpr double kExp0 = 0x1.fffffffff61fcp-1;
inline constexpr double kExp1 = 0x1.fffffffffe069p-2;
inline constexpr double kExp2 = 0x1.5555557e71548p-3;
inline constexpr double kExp3 = 0x1.55555565c56cap-5;
inline constexpr double kExp4 = 0x1.1110a621ddacdp-7;
inline constexpr double kExp5 = 0x1.6c166be719c88p-10;
inline constexpr double kExp6 = 0x1.a17df372fd186p-13;
inline constexpr double kExp7 = 0x1.a136b0d778ae3p-16;

// 2 atanh(s)/s in s^2, |s| <= 0.1716; relative error 2^-45.1
inline constexpr double kLog0 = 0x1.fffffffffff0dp+0;
inline constexpr double kLog1 = 0x1.5555555676376p-1;
inline constexpr double kLog2 = 0x1.9999961fcee95p-2;
inline constexpr double kLog3 = 0x1.24943d4e0af94p-2;
inline constexpr double kLog4 = 0x1.c61f29f097c8bp-3;
inline constexpr double kLog5 = 0x1.91ad8d84f286bp-3;

// (sin(r) - r)/r^3 in r^2, |r| <= pi/4; relative error 2^-42.4
inline constexpr double kSin0 = -0x1.555555555516bp-3;
inline constexpr double kSin1 = 0x1.1111110fd3d36p-7;
inline constexpr double kSin2 = -0x1.a019fd9b33ec6p-13;
inline constexpr double kSin3 = 0x1.71d9a9f2979b6p-19;
inline constexpr double kSin4 = -0x1.aa2856d49fffbp-26;

// (cos(r) - 1 + r^2/2)/r^4 in r^2; relative error 2^-34.0
inline constexpr double kCos0 = 0x1.5555555502cf1p-5;
inline constexpr double kCos1 = -0x1.6c16bf54e617dp-10;
inline constexpr double kCos2 = 0x1.a015c47c28f52p-16;
inline constexpr double kCos3 = -0x1.25244daed92cdp-22;

inline constexpr double kLog2E = 0x1.71547652b82fep+0;  // log2(e)

inline constexpr double kLog2Ten = 0x1.a934f0979a371p+1;  // log2(10)

inline constexpr double kLn2 = 0x1.62e42fefa39efp-1;  // ln(2)

inline constexpr double kLog10E = 0x1.bcb7b1526e50ep-2;  // log10(e)

inline constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;  // 2/pi

inline constexpr double kHalfPiHigh = 0x1.921fb54442d18p+0;  // pi/2, rounded

inline constexpr double kHalfPiLow = 0x1.1a62633145c07p-54;  // pi/2 less that

inline constexpr double kPi = 0x1.921fb54442d18p+1;  // pi

}  // namespace hipaudit::math
// clang-format on
