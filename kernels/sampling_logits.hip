// Steps of sampling on logits: temperature and repetition penalty.
//
// Formula   temperature: y = x / t
//           repetition_penalty: y = x / p where seen and x > 0, x p where seen and x <= 0, else x
// Layout    x and y: rows x columns, float32, row-major, contiguous; seen: likewise, bytes, not 0
//           where the row has the token; y may be x.
// Grid      one-dimensional, ceil(count / 4) threads or more. Block: one-dimensional, any size.
// Limits    count <= 2^33: HIP's launches have fewer than 2^32 threads. t and p are above 0.
// Source    Keskar et al., "CTRL", 2019, section 4.1.

#include <hip/hip_runtime.h>

#include "include/elementwise.h"

extern "C" __global__ __launch_bounds__(256) void temperature(const float* x, float* y,
                                                              size_t count, float value) {
  elementwise::map(count, y, [=](float logit) { return logit / value; }, x);
}

extern "C" __global__ __launch_bounds__(256) void repetition_penalty(const float* x,
                                                                     const unsigned char* seen,
                                                                     float* y, size_t count,
                                                                     float penalty) {
  auto penalised = [=](float logit, unsigned char flag) {
    if (flag == 0) return logit;
    return logit > 0.0f ? logit / penalty : logit * penalty;
  };
  elementwise::map(count, y, penalised, x, seen);
}
