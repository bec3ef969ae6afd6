// One access of a kernel, checked word by word.
#pragma once

#include "check/checker.h"

namespace hipaudit {

enum class Access : uint8_t { read, write, atomic };

struct AccessFlags {
  Access kind;
  Reach reach = Reach::none;  // of an atomic
  bool reads = true;          // an atomic that stores reads nothing
  bool stores = true;         // an atomic that loads changes nothing
};

// Checks the access of `size` bytes that is about to happen; `pc` lies within the instruction.
void check_access(uintptr_t address, uint32_t size, AccessFlags flags, uintptr_t pc);

}  // namespace hipaudit
