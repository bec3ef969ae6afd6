// Findings of the ledger: what is said, once for each root cause, and where it is written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "../device/json.h"
#include "record.h"

namespace hipaudit::ledger {

// An allocation or handle as a finding shows it.
struct Subject {
  Record record;
  uint32_t born_stack = 0;
  const char* born_call = "";
  int64_t offset = 0;
};

struct Finding {
  const char* kind = "";
  const char* severity = "error";
  std::string message;
  std::string kernel;            // empty: none
  const char* access = nullptr;  // read, write, free
  uint64_t bytes = 0;
  std::optional<Subject> subject;
  const char* call = nullptr;  // this side
  uint32_t stack = 0;
  const char* other_call = nullptr;
  uint32_t other_stack = 0;
  std::string stream;
  std::string other_stream;
  uint64_t count = 1;
};

// Writes a finding, or counts it when its root cause was written before. The ledger's lock must not
// be held.
void report(const Finding& finding);

// Writes a finding of the end of the process, whatever was written before.
void report_again(const Finding& finding);

// Writes how often the findings came again since they were written.
void report_repeats();

uint64_t findings_so_far();
uint64_t errors_so_far();

// Appends a line to the journal; false when there is none.
bool append_to_journal(const std::string& line);

// "device allocation 3 (4096 bytes)"
std::string title(const Record& record);

// Members that tell of an allocation's birth and death.
void put_life(JsonWriter& json, const Subject& subject);

void lock_findings();
void unlock_findings();

}  // namespace hipaudit::ledger
