// From a source unit to an object file in the cache.
#pragma once

#include <string>

#include "settings.h"
#include "source_scan.h"
#include "source_unit.h"

namespace hipaudit {

struct Compilation {
  bool good = false;
  std::string object;  // path
  std::string log;     // the compiler's diagnostics
  std::vector<TemplateKernel> templates;
  std::vector<std::string> launches;
};

// Compiles the unit, or finds it in the cache: keyed by the compiler, everything in the unit and
// the contents of the files that it includes. Safe while other processes do the same.
Compilation compile(const SourceUnit& unit, Build build);

}  // namespace hipaudit
