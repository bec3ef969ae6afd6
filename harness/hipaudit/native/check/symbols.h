// The functions of the checkers that checked kernels call.
#pragma once

#include <cstddef>

#include "device/device_symbol.h"

namespace hipaudit {

extern const Symbol kCheckSymbols[];
extern const size_t kCheckSymbolCount;
extern const Symbol kUndefinedSymbols[];
extern const size_t kUndefinedSymbolCount;

}  // namespace hipaudit
