// A kernel's own arithmetic, after the math header: its contraction must still be the kernel's
// choice.
#include "hipaudit/math.h"

extern "C" __attribute__((global)) void probe_contracted(long count, float* out, const float* x,
                                                         const float* y, const float* z) {
  for (long i = 0; i < count; ++i) out[i] = x[i] * y[i] + z[i];
}
