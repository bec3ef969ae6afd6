// What memory held before a launch, and what the launch changed.
#pragma once

#include <cstdint>
#include <vector>

#include "uses.h"

namespace hipaudit::ledger {

struct Before {
  uint64_t address;
  uint64_t element;  // bytes that are written as one
  std::vector<char> bytes;
};

// A number of which some bytes are as before was written all the same. Nothing: the range is empty.
struct Changed {
  uint64_t first = 0;
  uint64_t end = 0;
  Bytes bytes;
};

Changed changed(const Before& before);

}  // namespace hipaudit::ledger
