// May a copy or a fill touch these bytes? Every refusal is also a finding.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../include/hipaudit/api_error.h"
#include "../include/hipaudit/api_types.h"

namespace hipaudit {

// Which memory a copy's direction allows for a pointer. Pinned, managed and registered memory is
// both.
enum class Side : uint8_t { host, device, either };

struct Range {
  const void* start = nullptr;
  size_t bytes = 0;
  Side side = Side::either;
  bool write = false;
};

// hipSuccess when the range is memory of that side, and lies inside one live allocation where it is
// the device's; otherwise an error, after a finding that says what `call` wanted to touch.
hipError_t check_range(const char* call, const Range& range);

// True when the device's checkers track the address: device, managed, pinned or registered memory.
bool is_tracked(const void* pointer);

}  // namespace hipaudit
