// A probe applies one expression to whole arrays: name(count, out, inputs...).
#pragma once

#define PROBE(NAME, OUT, A, ...)                                             \
  extern "C" __device__ void NAME(long count, OUT* out, const A* a_values) { \
    for (long i = 0; i < count; ++i) {                                       \
      const A a = a_values[i];                                               \
      out[i] = __VA_ARGS__;                                                  \
    }                                                                        \
  }

#define PROBE2(NAME, OUT, A, B, ...)                                                            \
  extern "C" __device__ void NAME(long count, OUT* out, const A* a_values, const B* b_values) { \
    for (long i = 0; i < count; ++i) {                                                          \
      const A a = a_values[i];                                                                  \
      const B b = b_values[i];                                                                  \
      out[i] = __VA_ARGS__;                                                                     \
    }                                                                                           \
  }

#define PROBE3(NAME, OUT, T, ...)                                                             \
  extern "C" __device__ void NAME(long count, OUT* out, const T* a_values, const T* b_values, \
                                  const T* c_values) {                                        \
    for (long i = 0; i < count; ++i) {                                                        \
      const T a = a_values[i];                                                                \
      const T b = b_values[i];                                                                \
      const T c = c_values[i];                                                                \
      out[i] = __VA_ARGS__;                                                                   \
    }                                                                                         \
  }
