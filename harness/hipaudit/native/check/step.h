// One access on its way through the checks.
#pragma once

#include "check/access.h"
#include "check/checker.h"

namespace hipaudit {

struct Step {
  Present now;
  WorkerCheck* worker;
  uintptr_t pc;
  uint16_t site;
  AccessFlags flags;
  uintptr_t address;  // of the whole access
  uint32_t size;
  uintptr_t named;  // as findings name it: an offset in shared memory
  Shadow shadow;
  bool several = false;  // other workers use this shadow as well
  bool padded = false;   // a wide read that finds some of its words defined

  bool stores() const {
    return flags.kind == Access::write || (flags.kind == Access::atomic && flags.stores);
  }
};

// An earlier access that the running one is unordered with.
struct Conflict {
  Record record;
  bool stored;  // it changed the word
};

// What a finding about the access says of it.
Observation observation(const Step& c, const char* kind);

// The block that the record is of is the running one.
bool same_block(const Step& c, const Record& record);
// How far atomics must go to exclude the running thread and the one of the record.
Reach distance(const Step& c, const Record& record);

// Notes the access in the history of a word, and tells with which earlier ones it conflicts.
constexpr size_t kMostConflicts = 4;
size_t note_access(const Step& c, size_t word, uint32_t mask,
                   Conflict (&conflicts)[kMostConflicts]);

// What kind of race it is, and with whom.
void report_race(const Step& c, size_t word, const Conflict& conflict);

}  // namespace hipaudit
