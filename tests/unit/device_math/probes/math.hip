// Every function of the device's math over arrays: probe_NAME(count, out, inputs ...).
#include "hipaudit/math.h"

// clang-format off: one list of names after another.
#define PROBE extern "C" __attribute__((global)) void
#define EACH for (long i = 0; i < count; ++i)

#define PROBE_UNARY(NAME, OUT, IN) \
  PROBE probe_##NAME(long count, OUT* out, const IN* x) { EACH out[i] = NAME(x[i]); }
#define PROBE_BINARY(NAME, OUT, A, B) \
  PROBE probe_##NAME(long count, OUT* out, const A* x, const B* y) { EACH out[i] = NAME(x[i], y[i]); }
#define PROBE_TERNARY(NAME, OUT, A, B, C)                                            \
  PROBE probe_##NAME(long count, OUT* out, const A* x, const B* y, const C* z) { \
    EACH out[i] = NAME(x[i], y[i], z[i]);                                            \
  }

#define BOTH(NAME) PROBE_UNARY(NAME, double, double) PROBE_UNARY(NAME##f, float, float)
#define BOTH2(NAME) \
  PROBE_BINARY(NAME, double, double, double) PROBE_BINARY(NAME##f, float, float, float)

BOTH(acos) BOTH(acosh) BOTH(asin) BOTH(asinh) BOTH(atan) BOTH(atanh) BOTH(cbrt) BOTH(cos) BOTH(cosh)
BOTH(cospi) BOTH(cyl_bessel_i0) BOTH(cyl_bessel_i1) BOTH(erf) BOTH(erfc) BOTH(erfcinv) BOTH(erfcx)
BOTH(erfinv) BOTH(exp) BOTH(exp10) BOTH(exp2) BOTH(expm1) BOTH(j0) BOTH(j1) BOTH(lgamma) BOTH(log)
BOTH(log10) BOTH(log1p) BOTH(log2) BOTH(normcdf) BOTH(normcdfinv) BOTH(rcbrt) BOTH(rsqrt) BOTH(sin)
BOTH(sinh) BOTH(sinpi) BOTH(sqrt) BOTH(tan) BOTH(tanh) BOTH(tgamma) BOTH(y0) BOTH(y1)
BOTH(fabs) BOTH(floor) BOTH(ceil) BOTH(trunc) BOTH(round) BOTH(rint) BOTH(nearbyint) BOTH(logb)
BOTH2(pow) BOTH2(atan2) BOTH2(hypot) BOTH2(rhypot) BOTH2(fmod) BOTH2(remainder) BOTH2(fmin) BOTH2(fmax)
BOTH2(fdim) BOTH2(copysign) BOTH2(nextafter)
PROBE_BINARY(jn, double, int, double) PROBE_BINARY(yn, double, int, double)
PROBE_BINARY(powi, double, double, int) PROBE_BINARY(powif, float, float, int)
PROBE_BINARY(ldexp, double, double, int) PROBE_BINARY(ldexpf, float, float, int)
PROBE_TERNARY(norm3d, double, double, double, double) PROBE_TERNARY(rnorm3d, double, double, double, double)
PROBE_TERNARY(norm3df, float, float, float, float) PROBE_TERNARY(rnorm3df, float, float, float, float)
PROBE_TERNARY(fma, double, double, double, double) PROBE_TERNARY(fmaf, float, float, float, float)
PROBE_UNARY(ilogb, int, double) PROBE_UNARY(ilogbf, int, float)
PROBE_UNARY(lroundf, long, float) PROBE_UNARY(llrint, long long, double)
PROBE_UNARY(isnan, bool, double) PROBE_UNARY(isfinite, bool, double) PROBE_UNARY(isinf, bool, double)
PROBE_UNARY(signbit, bool, float) PROBE_UNARY(saturatef, float, float)

PROBE_UNARY(__expf, float, float) PROBE_UNARY(__exp10f, float, float) PROBE_UNARY(__logf, float, float)
PROBE_UNARY(__log2f, float, float) PROBE_UNARY(__log10f, float, float) PROBE_UNARY(__sinf, float, float)
PROBE_UNARY(__cosf, float, float) PROBE_UNARY(__tanf, float, float)
PROBE_BINARY(__powf, float, float, float) PROBE_BINARY(__fdividef, float, float, float)

#define ROUNDED(NAME, TYPE)                                                                \
  PROBE_BINARY(NAME##_rn, TYPE, TYPE, TYPE) PROBE_BINARY(NAME##_rz, TYPE, TYPE, TYPE)       \
  PROBE_BINARY(NAME##_ru, TYPE, TYPE, TYPE) PROBE_BINARY(NAME##_rd, TYPE, TYPE, TYPE)
ROUNDED(__fadd, float) ROUNDED(__fsub, float) ROUNDED(__fmul, float) ROUNDED(__fdiv, float)
ROUNDED(__dadd, double) ROUNDED(__dsub, double) ROUNDED(__dmul, double) ROUNDED(__ddiv, double)
#define ROUNDED1(NAME, OUT, IN)                                                           \
  PROBE_UNARY(NAME##_rn, OUT, IN) PROBE_UNARY(NAME##_rz, OUT, IN) PROBE_UNARY(NAME##_ru, OUT, IN) \
  PROBE_UNARY(NAME##_rd, OUT, IN)
ROUNDED1(__float2int, int, float) ROUNDED1(__float2uint, unsigned, float)
ROUNDED1(__double2ll, long long, double) ROUNDED1(__double2ull, unsigned long long, double)
ROUNDED1(__double2float, float, double) ROUNDED1(__int2float, float, int)
ROUNDED1(__ll2float, float, long long) ROUNDED1(__ull2double, double, unsigned long long)
ROUNDED1(__fsqrt, float, float) ROUNDED1(__drcp, double, double)
PROBE_TERNARY(__fmaf_rd, float, float, float, float) PROBE_TERNARY(__fma_ru, double, double, double, double)

PROBE_UNARY(__clz, int, int) PROBE_UNARY(__clzll, int, long long) PROBE_UNARY(__ffs, int, int)
PROBE_UNARY(__popc, int, unsigned) PROBE_UNARY(__popcll, int, unsigned long long)
PROBE_UNARY(__brev, unsigned, unsigned) PROBE_UNARY(__brevll, unsigned long long, unsigned long long)
PROBE_BINARY(__mul24, int, int, int) PROBE_BINARY(__umul24, unsigned, unsigned, unsigned)
PROBE_BINARY(__mulhi, int, int, int) PROBE_BINARY(__umulhi, unsigned, unsigned, unsigned)
PROBE_BINARY(__mul64hi, long long, long long, long long)
PROBE_BINARY(__hadd, int, int, int) PROBE_BINARY(__rhadd, int, int, int)
PROBE_TERNARY(__sad, unsigned, int, int, unsigned) PROBE_TERNARY(__byte_perm, unsigned, unsigned, unsigned, unsigned)
PROBE_TERNARY(__funnelshift_l, unsigned, unsigned, unsigned, unsigned)
PROBE_TERNARY(__funnelshift_r, unsigned, unsigned, unsigned, unsigned)
PROBE_TERNARY(__funnelshift_lc, unsigned, unsigned, unsigned, unsigned)
PROBE_TERNARY(__funnelshift_rc, unsigned, unsigned, unsigned, unsigned)

PROBE_TERNARY(__builtin_amdgcn_perm, unsigned, unsigned, unsigned, unsigned)
PROBE_TERNARY(__builtin_amdgcn_ubfe, unsigned, unsigned, unsigned, unsigned)
PROBE_TERNARY(__builtin_amdgcn_sbfe, int, int, unsigned, unsigned)
PROBE_TERNARY(__builtin_amdgcn_alignbit, unsigned, unsigned, unsigned, unsigned)
PROBE_TERNARY(__builtin_amdgcn_sad_u8, unsigned, unsigned, unsigned, unsigned)
PROBE_TERNARY(__builtin_amdgcn_fmed3f, float, float, float, float)
PROBE_UNARY(__builtin_amdgcn_rcpf, float, float) PROBE_UNARY(__builtin_amdgcn_logf, float, float)
PROBE_UNARY(__builtin_amdgcn_sinf, float, float) PROBE_UNARY(__builtin_amdgcn_fractf, float, float)
PROBE_UNARY(__builtin_amdgcn_frexp_mantf, float, float) PROBE_UNARY(__builtin_amdgcn_frexp_expf, int, float)
PROBE probe_sdot4(long count, int* out, const int* a, const int* b, const int* c) {
  EACH out[i] = __builtin_amdgcn_sdot4(a[i], b[i], c[i], true);
}

PROBE probe_cvt_pkrtz(long count, unsigned* out, const float* x, const float* y) {
  EACH out[i] = __builtin_bit_cast(unsigned, __builtin_amdgcn_cvt_pkrtz(x[i], y[i]));
}
PROBE probe_fdot2(long count, float* out, const unsigned* a, const unsigned* b, const float* c) {
  using Half2 = hipaudit::math::Half2;
  EACH out[i] = __builtin_amdgcn_fdot2(__builtin_bit_cast(Half2, a[i]),
                                       __builtin_bit_cast(Half2, b[i]), c[i], false);
}

PROBE probe_sincosf(long count, float* s, float* c, const float* x) { EACH sincosf(x[i], &s[i], &c[i]); }
PROBE probe_frexp(long count, double* out, int* exponent, const double* x) {
  EACH out[i] = frexp(x[i], &exponent[i]);
}
PROBE probe_frexpf(long count, float* out, int* exponent, const float* x) {
  EACH out[i] = frexpf(x[i], &exponent[i]);
}
PROBE probe_modf(long count, double* out, double* whole, const double* x) {
  EACH out[i] = modf(x[i], &whole[i]);
}
PROBE probe_remquo(long count, double* out, int* quotient, const double* x, const double* y) {
  EACH out[i] = remquo(x[i], y[i], &quotient[i]);
}
PROBE probe_norm(long count, double* out, const double* x) { out[0] = norm(static_cast<int>(count), x); }
