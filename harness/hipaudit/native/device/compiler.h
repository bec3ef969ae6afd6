// From a source unit to an object file in the cache.
#pragma once

#include <string>

#include "settings.h"
#include "source_scan.h"
#include "source_unit.h"

namespace hipaudit {

// How a unit is compiled: it may be compiled in each way, side by side.
struct Variant {
  Build build = Build::plain;
  bool adversarial = false;  // math results pass through the adversary
  bool contract = true;      // where the source allows it

  static Variant of(const Settings& settings);
  // A number of its own for each, below kVariants.
  int index() const {
    return (build == Build::checked ? 4 : 0) + (adversarial ? 2 : 0) + (contract ? 1 : 0);
  }
};
constexpr int kVariants = 8;

struct Compilation {
  bool good = false;
  std::string object;  // path
  std::string log;     // the compiler's diagnostics
  std::vector<TemplateKernel> templates;
  std::vector<std::string> launches;
};

// Compiles the unit, or finds it in the cache: keyed by the compiler, everything in the unit and
// the contents of the files that it includes. Safe while other processes do the same.
Compilation compile(const SourceUnit& unit, Variant variant);

}  // namespace hipaudit
