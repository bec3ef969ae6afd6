// Conversion between float32 and the two 16-bit formats, and between those.
//
// Formula   y[i] = x[i], rounded once to nearest, ties to even, where y's format does not hold it
// Layout    x, y: count elements, contiguous, not overlapping.
// Grid      four elements a thread, see include/elementwise.h. Block: at most 256 threads.
// Policy    beyond the largest finite number: infinity; NaN stays NaN; subnormals are kept.

#include <hip/hip_bf16.h>
#include <hip/hip_fp16.h>

#include "include/elementwise.h"

extern "C" __global__ __launch_bounds__(256) void convert_f32_f16(const float* x, __half* y,
                                                                  size_t count) {
  elementwise::map(count, y, [](float value) { return __float2half(value); }, x);
}

extern "C" __global__ __launch_bounds__(256) void convert_f16_f32(const __half* x, float* y,
                                                                  size_t count) {
  elementwise::map(count, y, [](__half value) { return __half2float(value); }, x);
}

extern "C" __global__ __launch_bounds__(256) void convert_f32_bf16(const float* x,
                                                                   __hip_bfloat16* y,
                                                                   size_t count) {
  elementwise::map(count, y, [](float value) { return __float2bfloat16(value); }, x);
}

extern "C" __global__ __launch_bounds__(256) void convert_bf16_f32(const __hip_bfloat16* x,
                                                                   float* y, size_t count) {
  elementwise::map(count, y, [](__hip_bfloat16 value) { return __bfloat162float(value); }, x);
}

extern "C" __global__ __launch_bounds__(256) void convert_f16_bf16(const __half* x,
                                                                   __hip_bfloat16* y,
                                                                   size_t count) {
  elementwise::map(count, y, [](__half v) { return __float2bfloat16(__half2float(v)); }, x);
}

extern "C" __global__ __launch_bounds__(256) void convert_bf16_f16(const __hip_bfloat16* x,
                                                                   __half* y, size_t count) {
  elementwise::map(count, y, [](__hip_bfloat16 v) { return __float2half(__bfloat162float(v)); }, x);
}
