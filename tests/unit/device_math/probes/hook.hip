// Kernels of an adversarial build, and how to set what it does.
#include "hipaudit/math.h"

namespace hipaudit {
enum class Shift : unsigned char;
__attribute__((device)) void set_shift(Shift shift, unsigned long seed);
}  // namespace hipaudit

// What the loader finds under the C name.
extern "C" __attribute__((device)) float hipaudit_c_expf(float x);

#define EACH extern "C" __attribute__((global)) void
EACH probe_set(long, unsigned char*, const unsigned char* shift) {
  hipaudit::set_shift(static_cast<hipaudit::Shift>(*shift), 1);
}
EACH probe_expf(long count, float* out, const float* x) {
  for (long i = 0; i < count; ++i) out[i] = expf(x[i]);
}
EACH probe_erff(long count, float* out, const float* x) {
  for (long i = 0; i < count; ++i) out[i] = erff(x[i]);
}
EACH probe_fast_expf(long count, float* out, const float* x) {
  for (long i = 0; i < count; ++i) out[i] = __expf(x[i]);
}
EACH probe_c_expf(long count, float* out, const float* x) {
  for (long i = 0; i < count; ++i) out[i] = hipaudit_c_expf(x[i]);
}
EACH probe_floorf(long count, float* out, const float* x) {
  for (long i = 0; i < count; ++i) out[i] = floorf(x[i]);
}
EACH probe_sin(long count, double* out, const double* x) {
  for (long i = 0; i < count; ++i) out[i] = std::sin(x[i]);
}
