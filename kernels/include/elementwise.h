// Functions of single elements, four consecutive ones a thread.
//
// Formula   y[i] = f(x[i], ...) for i < count; y may be one of the x, else it must not overlap
//           them.
// Grid      one-dimensional, ceil(count / 4) threads or more. Block: one-dimensional, any size.
// Limits    count <= 2^33: HIP's launches have fewer than 2^32 threads.
// Memory    a thread reads its four elements before it writes one, so that the compiler may load
//           and store them as one vector; no alignment beyond the element's own is assumed.
#pragma once

#include <hip/hip_runtime.h>

#include "include/lanes8.h"

namespace elementwise {

constexpr int kEach = 4;

template <class Out, class Function, class... In>
__device__ void map(size_t count, Out* y, Function f, const In*... x) {
  const size_t first = (static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x) * kEach;
  if (first + kEach <= count) {
    Out results[kEach];
    for (int j = 0; j < kEach; ++j) results[j] = f(x[first + j]...);
    for (int j = 0; j < kEach; ++j) y[first + j] = results[j];
    return;
  }
  for (size_t i = first; i < count; ++i) y[i] = f(x[i]...);
}

// The same for a function of floats: elements of any stored format are widened, the result is
// rounded once.
template <class Element, class Function, class... In>
__device__ void map_floats(size_t count, Element* y, Function f, const In*... x) {
  auto stored = [f](In... values) {
    Element result;
    lanes8::store(&result, f(lanes8::widen(values)...));
    return result;
  };
  map(count, y, stored, x...);
}

}  // namespace elementwise
