// Inline math in a kernel whose accesses are traced.
#include "hipaudit/math.h"

extern "C" __attribute__((global)) void traced(float* out, const float* x) {
  out[0] = expf(x[0]) + logf(x[1]) + tanhf(x[2]) + exp2f(x[3]) + rsqrtf(x[4]) + __expf(x[5]);
}
