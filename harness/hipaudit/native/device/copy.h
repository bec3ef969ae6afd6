// Copies and fills of boxes of bytes: lines are the case of one row, rectangles of one slice.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../include/hipaudit/api_error.h"
#include "../include/hipaudit/api_types.h"

namespace hipaudit {

// A box within memory: rows `pitch` bytes apart, slices `slice` bytes apart.
struct Layout {
  uintptr_t start = 0;
  size_t pitch = 0;
  size_t slice = 0;
};

struct BoxSize {
  size_t width = 0;  // bytes
  size_t height = 1;
  size_t depth = 1;
};

struct Copy {
  const char* call = "";
  Layout destination;
  Layout source;
  BoxSize size;
  hipMemcpyKind kind = hipMemcpyDefault;
  hipStream_t stream = nullptr;
  bool synchronous = true;  // reports what went wrong before it
};

struct Fill {
  const char* call = "";
  Layout destination;
  BoxSize size;
  uint32_t value = 0;
  size_t element_bytes = 1;  // 1, 2 or 4: how much of the value is repeated
  hipStream_t stream = nullptr;
  bool synchronous = true;
};

// Check, then do. The error is not yet the thread's last one.
hipError_t run_copy(const Copy& copy);
hipError_t run_fill(const Fill& fill);

}  // namespace hipaudit
