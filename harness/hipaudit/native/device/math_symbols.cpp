// The table that the loader of kernels looks their math functions up in. A name is declared here
// with no parameters on purpose: only its address is taken.
#include "math.h"
#include "math_c_names.h"

// clang-format off
#define HIPAUDIT_MATH_NAMES(X) \
  X(acos) X(acosh) X(asin) X(asinh) X(atan) \
  X(atan2) X(atanh) X(cbrt) X(cos) X(cosh) \
  X(cospi) X(cyl_bessel_i0) X(cyl_bessel_i1) X(erf) X(erfc) X(erff) X(erfcf) X(powf) X(powif) \
  X(erfcinv) X(erfcx) X(erfinv) X(exp) X(exp10) \
  X(exp2) X(expm1) X(fmod) X(j0) X(j1) \
  X(jn) X(ldexp) X(lgamma) X(log) X(log10) X(moved_float) X(moved_double) \
  X(log1p) X(log2) X(norm4d) X(normcdf) X(normcdfinv) \
  X(pow) X(rcbrt) X(reduce_half_pi) X(remainder) X(remquo_quotient) \
  X(rnorm4d) X(rounded_add) X(rounded_addf) X(rounded_div) X(rounded_divf) \
  X(rounded_fma) X(rounded_fmaf) X(rounded_mul) X(rounded_mulf) X(rounded_sqrt) \
  X(rounded_sqrtf) X(rounded_sub) X(rounded_subf) X(rsqrt) X(sin) \
  X(sinh) X(sinpi) X(tan) X(tanh) X(tgamma) \
  X(y0) X(y1) X(yn)
// clang-format on

#define HIPAUDIT_DECLARE(NAME) void hipaudit_##NAME();
#define HIPAUDIT_DECLARE_FLOAT(NAME) void hipaudit_c_##NAME##f();
#define HIPAUDIT_DECLARE_BOTH(NAME) \
  void hipaudit_c_##NAME();         \
  void hipaudit_c_##NAME##f();
extern "C" {
HIPAUDIT_MATH_NAMES(HIPAUDIT_DECLARE)
HIPAUDIT_C_UNARY(HIPAUDIT_DECLARE_BOTH)
HIPAUDIT_C_UNARY_PAIR(HIPAUDIT_DECLARE_BOTH)
HIPAUDIT_C_EXACT(HIPAUDIT_DECLARE_FLOAT)
HIPAUDIT_C_OTHER(HIPAUDIT_DECLARE_BOTH)
void hipaudit_c_ldexpf();
}

namespace hipaudit {

#define HIPAUDIT_ROW(NAME, FUNCTION) {NAME, reinterpret_cast<void*>(&hipaudit_##FUNCTION)},
#define HIPAUDIT_OWN(NAME) HIPAUDIT_ROW("hipaudit_" #NAME, NAME)
#define HIPAUDIT_EXACT(NAME) HIPAUDIT_ROW(#NAME, NAME) HIPAUDIT_ROW(#NAME "f", c_##NAME##f)
#define HIPAUDIT_BOTH(NAME) HIPAUDIT_ROW(#NAME, c_##NAME) HIPAUDIT_ROW(#NAME "f", c_##NAME##f)

// clang-format off
const Symbol kMathSymbols[] = {
    HIPAUDIT_MATH_NAMES(HIPAUDIT_OWN)
    HIPAUDIT_C_UNARY(HIPAUDIT_BOTH)
    HIPAUDIT_C_UNARY_PAIR(HIPAUDIT_BOTH)
    HIPAUDIT_C_EXACT(HIPAUDIT_EXACT)
    HIPAUDIT_C_OTHER(HIPAUDIT_BOTH)
    HIPAUDIT_ROW("ldexp", ldexp) HIPAUDIT_ROW("ldexpf", c_ldexpf)
    HIPAUDIT_ROW("scalbn", ldexp) HIPAUDIT_ROW("scalbnf", c_ldexpf)
    HIPAUDIT_ROW("llround", c_lround) HIPAUDIT_ROW("llroundf", c_lroundf)
    HIPAUDIT_ROW("__powidf2", c_powi) HIPAUDIT_ROW("__powisf2", c_powif)
};
// clang-format on
const size_t kMathSymbolCount = sizeof(kMathSymbols) / sizeof(kMathSymbols[0]);

}  // namespace hipaudit
