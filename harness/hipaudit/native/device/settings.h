// The device's settings: initial values from the environment, changed by hipaudit_set.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "adversary.h"

namespace hipaudit {

enum class Build { plain, checked };

struct Settings {
  std::string arch = "gfx942";
  Build build = Build::plain;
  int workers = 0;          // 0: one per core
  double timeout_s = 10;    // of processor time; a launch without progress for so long is a finding
  uint64_t order_seed = 0;  // 0: natural order of blocks and waves
  Adversary adversary;      // the natural device unless set
  int poison = -1;          // byte that fresh buffers are filled with; -1: none, they read as zeros
  std::string journal;      // path; empty: findings are printed to stderr
  std::string substitute;   // folder of a mutant, see substitution.h; empty: none
  bool hygiene = false;     // journal barriers and the use of shared memory, in checked builds
  std::vector<uint64_t> ignored_barriers;    // places of barriers that are to order nothing,
  std::vector<uint64_t> completed_barriers;  // and of those that are to order all memory
};

// A copy of the settings as they stand. Thread-safe.
Settings settings();

// False when the key is unknown or the value is not one of its values.
bool set_setting(const char* key, const char* value);

const char* build_name(Build build);

}  // namespace hipaudit
