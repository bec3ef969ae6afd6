// The journal: one JSON line a finding, appended as it happens, so that a dying process loses
// nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hipaudit {

// One side of a finding: an instruction of a kernel and the thread that ran it.
struct Place {
  std::string object;  // ELF file whose line table covers pc; empty when unknown
  uint64_t pc = 0;     // an address within the instruction, as the object's line table counts
  uint32_t block[3] = {0, 0, 0};
  uint32_t thread[3] = {0, 0, 0};
  uint32_t wave = 0;
  uint32_t lane = 0;
};

struct AllocationNote {
  std::string name;
  uint64_t address = 0;
  uint64_t size = 0;
  int64_t offset = 0;  // of the access, relative to the allocation's first byte
};

struct Finding {
  std::string kind;
  std::string severity = "error";
  std::string kernel;  // empty: an API finding
  std::string message;
  std::string address_space;  // global, shared, private; empty: none
  std::string access;         // read, write, atomic; empty: none
  uint64_t bytes = 0;
  uint64_t count = 1;
  std::optional<AllocationNote> allocation;
  std::optional<Place> location;
  std::optional<Place> other_location;
};

// Appends one finding. Thread-safe. Without a journal path the message goes to stderr.
void journal_finding(const Finding& finding);

// Counts one launch; the sums are appended by journal_flush (and at exit).
struct LaunchCount {
  std::string kernel;
  std::string arch;
  std::string build;
  uint64_t threads = 0;
  uint64_t accesses = 0;
  uint64_t moved = 0;  // bytes of accesses to global memory, by lane
  double launch_ms = 0;
};
void journal_launch(const LaunchCount& count);
void journal_flush();

// Appends one record that is a line of JSON already.
void journal_line(const std::string& line);

}  // namespace hipaudit
