// The table that the loader of kernels looks their math functions up in. A name is declared here
// with no parameters on purpose: only its address is taken.
#include "math.h"

// clang-format off
#define HIPAUDIT_MATH_NAMES(X) \
  X(acos) X(acosh) X(asin) X(asinh) X(atan) \
  X(atan2) X(atanh) X(cbrt) X(cos) X(cosh) \
  X(cospi) X(cyl_bessel_i0) X(cyl_bessel_i1) X(erf) X(erfc) X(erff) X(erfcf) X(powf) \
  X(erfcinv) X(erfcx) X(erfinv) X(exp) X(exp10) \
  X(exp2) X(expm1) X(fmod) X(j0) X(j1) \
  X(jn) X(ldexp) X(lgamma) X(log) X(log10) \
  X(log1p) X(log2) X(norm4d) X(normcdf) X(normcdfinv) \
  X(pow) X(rcbrt) X(reduce_half_pi) X(remainder) X(remquo_quotient) \
  X(rnorm4d) X(rounded_add) X(rounded_addf) X(rounded_div) X(rounded_divf) \
  X(rounded_fma) X(rounded_fmaf) X(rounded_mul) X(rounded_mulf) X(rounded_sqrt) \
  X(rounded_sqrtf) X(rounded_sub) X(rounded_subf) X(rsqrt) X(sin) \
  X(sinh) X(sinpi) X(tan) X(tanh) X(tgamma) \
  X(y0) X(y1) X(yn)
// clang-format on

#define HIPAUDIT_DECLARE(NAME) void hipaudit_##NAME();
extern "C" {
HIPAUDIT_MATH_NAMES(HIPAUDIT_DECLARE)
}

namespace hipaudit {

#define HIPAUDIT_ROW(NAME) {"hipaudit_" #NAME, reinterpret_cast<void*>(&hipaudit_##NAME)},
const Symbol kMathSymbols[] = {HIPAUDIT_MATH_NAMES(HIPAUDIT_ROW)};
const size_t kMathSymbolCount = sizeof(kMathSymbols) / sizeof(kMathSymbols[0]);

}  // namespace hipaudit
