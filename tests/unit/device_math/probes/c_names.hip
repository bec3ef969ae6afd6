// Math through clang's builtins, which become calls of C library names.
#define EACH(NAME, TYPE, VALUE)                                                                \
  extern "C" __attribute__((global)) void probe_##NAME(long count, TYPE* out, const TYPE* x) { \
    for (long i = 0; i < count; ++i) out[i] = VALUE;                                           \
  }

EACH(expf, float, __builtin_expf(x[i]))
EACH(log, double, __builtin_log(x[i]))
EACH(sincosf, float, __builtin_sinf(x[i]) + __builtin_cosf(x[i]))
EACH(fmod, double, __builtin_fmod(x[i], 0.75))
EACH(powf, float, __builtin_powf(x[i], 1.25f))
EACH(powif, float, __builtin_powif(x[i], 3))
EACH(ldexpf, float, __builtin_ldexpf(x[i], -140))
EACH(lround, double, static_cast<double>(__builtin_lround(x[i])))
EACH(erff, float, __builtin_erff(x[i]))
EACH(hypot, double, __builtin_hypot(x[i], 3.0))
