// Who used an allocation lately, and in which order: what is not ordered is reported.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "findings.h"
#include "record.h"
#include "thread.h"

namespace hipaudit::ledger {

// touch: the call was given the memory; whether it reads or writes is not known.
enum class Use : uint8_t { read, write, touch, free };

// Which bytes of an allocation, where they do not lie together: a bit each, of every `step`-th
// block of 64. In what lies between nothing is certain.
struct Bytes {
  static constexpr uint64_t kBlock = 64;

  uint64_t step = 1;
  std::vector<uint64_t> blocks;  // none: all of a range
};

struct Access {
  uint64_t begin = 0;  // offsets in the allocation; what is certain to be used, no more
  uint64_t end = 0;
  Bytes bytes;
  uint64_t epoch = 0;
  const char* call = "";
  const char* kernel = "";  // interned
  uint32_t stack = 0;
  int slot = 0;
  Use use = Use::read;
  bool told = false;  // that the host did not wait for it
};

struct History {
  std::vector<Access> accesses;
};

// Notes that the operation begun last on the slot uses part of a record, and adds what is wrong
// with that. With the ledger's lock held.
void note_use(Record& record, const Access& access, std::vector<Finding>* findings);

// What an operation on a slot, made by a call, does to [begin, end) of an allocation.
Access access_by(const Call& call, int slot, Use use, uint64_t begin, uint64_t end,
                 const char* kernel = "");

// Says that the host's access is not ordered after one.
void mark_told(const Record& record, const Access& access);

// Asynchronous writes to host memory that the host has not waited for, and no stream has read: the
// memory ends before anybody could have looked at it.
void note_unseen_writes(const Call& call, Record& record, std::vector<Finding>* findings);

const char* verb(Use use);  // "reads"

// "hipMemcpyAsync on stream 1"
std::string actor(const Access& access);

void drop_history(Record& record);

// The same text for the life of the process.
const char* interned(const std::string& text);

}  // namespace hipaudit::ledger
