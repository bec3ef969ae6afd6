// Findings of a launch while it runs: one per root cause, with a count.
#pragma once

#include <cstdint>
#include <string>

#include "device/launch.h"

namespace hipaudit {

struct Side {
  uintptr_t pc = 0;  // within the accessing instruction; 0: not known
  uint32_t block = 0;
  uint32_t thread = 0;  // flat, within the block
};

struct Observation {
  const char* kind = "";
  const char* severity = "error";
  const char* space = "";   // global, shared, private
  const char* access = "";  // read, write, atomic
  uint32_t bytes = 0;
  uintptr_t address = 0;  // names the buffer or variable
  std::string message;    // without it, one is made from the rest
  Side here;
  Side other;  // pc 0: there is no other side
};

// Adds an observation: the same kind at the same places is counted. Thread-safe.
void observe(const Launch& launch, const Observation& observation);
// Journals what was observed in the launch, in an order that does not depend on the schedule.
void journal_observations(const Launch& launch);

}  // namespace hipaudit
