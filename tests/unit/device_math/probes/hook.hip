// The hook that every transcendental result passes through, with a function that counts ids into
// it.
__attribute__((device)) inline float nudge(float value, unsigned id) {
  return __builtin_bit_cast(float, __builtin_bit_cast(unsigned, value) + 1 + 0 * id);
}
namespace hipaudit {
enum class FunctionId : unsigned short;
}
template <typename T>
__attribute__((device)) inline T nudged(T value, hipaudit::FunctionId id) {
  if constexpr (sizeof(T) == 4)
    return nudge(value, static_cast<unsigned>(id));
  else
    return value * 2;
}
#define HIPAUDIT_ADVERSARIAL nudged
#include "hipaudit/math.h"

#define EACH extern "C" __attribute__((global)) void
EACH probe_expf(long count, float* out, const float* x) {
  for (long i = 0; i < count; ++i) out[i] = expf(x[i]);
}
EACH probe_erff(long count, float* out, const float* x) {
  for (long i = 0; i < count; ++i) out[i] = erff(x[i]);
}
EACH probe_floorf(long count, float* out, const float* x) {
  for (long i = 0; i < count; ++i) out[i] = floorf(x[i]);
}
EACH probe_sin(long count, double* out, const double* x) {
  for (long i = 0; i < count; ++i) out[i] = std::sin(x[i]);
}
