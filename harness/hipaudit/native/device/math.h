// The functions of the device's math that kernels call by name; include/hipaudit/math.h declares
// them.
#pragma once

#include <stddef.h>

#include "device_symbol.h"

namespace hipaudit {

extern const Symbol kMathSymbols[];
extern const size_t kMathSymbolCount;

}  // namespace hipaudit
