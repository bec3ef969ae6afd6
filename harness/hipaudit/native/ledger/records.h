// All records: found by address, by handle, or by an address inside. Every operation takes the same
// time whether ten allocations live or ten million.
#pragma once

#include <deque>
#include <vector>

#include "record.h"
#include "table.h"

namespace hipaudit::ledger {

// Not locked: the ledger's own lock is held by whoever calls.
class Records {
 public:
  // A live record of memory. What was freed at that address before is forgotten.
  Record& add_memory(uint64_t address, uint64_t size, Kind kind);
  Record& add_handle(uint64_t handle, Kind kind);

  // The record of exactly that address, live or lately freed; nullptr: none.
  Record* find_memory(uint64_t address);
  Record* find_handle(uint64_t handle, Kind kind);

  // The live record that holds the address, else the last one freed that did.
  Record* find_holder(uint64_t address);

  // The live record that holds the address; nullptr: none.
  Record* find_live(uint64_t address);

  // A live record that ends at most `reach` bytes before the address, or begins so much after it.
  Record* find_neighbour(uint64_t address, uint64_t reach);

  // Marks as freed. It stays known until many others were freed after it.
  void bury(Record& record);
  void revive(Record& record) { record.live = true; }
  void forget(Record& record);

  template <typename Visit>
  void each_live(Visit visit) {
    for (Record& record : records_)
      if (record.used && record.live) visit(record);
  }

  // True when there ever was a module's variable.
  bool has_globals() const { return has_globals_; }

  uint64_t last_serial() const { return last_serial_; }

 private:
  static constexpr unsigned kSmallestClass = 8;
  static constexpr size_t kRemembered = 16384;

  Record& make(uint64_t address, uint64_t size, Kind kind);
  template <typename Change>
  void each_block(const Record& record, Change change);
  void enter(Record& record);
  void leave(Record& record);
  Record* pick(uint64_t address, unsigned size_class, Record* best);

  std::deque<Record> records_;
  std::vector<uint32_t> unused_;
  struct Grave {
    uint32_t index;
    uint64_t serial;
  };
  std::deque<Grave> buried_;
  Table memory_;
  Table handles_;
  Table blocks_;
  uint64_t in_class_[64] = {};
  uint64_t last_serial_ = 0;
  bool has_globals_ = false;
  uint32_t last_number_[kKinds] = {};
};

}  // namespace hipaudit::ledger
