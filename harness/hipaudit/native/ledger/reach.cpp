#include "reach.h"

#include <cstring>
#include <set>

#include "../device/memory.h"

namespace hipaudit::ledger {
namespace {

bool is_the_host_s(const Record& record) {
  return is_host(record.kind) || record.kind == Kind::managed;
}

// Allocations, and those whose addresses they hold.
class Reach {
 public:
  void add(const Record& record) {
    if (seen_.insert(record.serial).second) open_.push_back(&record);
  }

  // True when memory of the host's is among it, or may be.
  bool leads_to_the_host() {
    while (!open_.empty()) {
      const Record& record = *open_.back();
      open_.pop_back();
      if (record.size > kMostRemembered) return true;
      const auto* words = reinterpret_cast<const char*>(record.address);
      for (uint64_t at = 0; at + sizeof(uint64_t) <= record.size; at += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, words + at, sizeof word);
        if (word < kDeviceBase || word - kDeviceBase >= kDeviceSpan) continue;
        const Record* found = ledger().records.find_live(word);
        if (found == nullptr) continue;
        if (is_the_host_s(*found)) return true;
        add(*found);
      }
    }
    return false;
  }

 private:
  std::set<uint64_t> seen_;
  std::vector<const Record*> open_;
};

}  // namespace

bool may_tell_the_host(const Launch& launch) {
  Reach reach;
  for (const Given& given : launch.given) {
    const Record* record = ledger().records.find_live(given.address);
    if (record == nullptr) continue;
    if (is_the_host_s(*record) && !given.constant) return true;
    reach.add(*record);
  }
  if (ledger().records.has_globals())
    ledger().records.each_live([&](const Record& record) {
      if (record.kind == Kind::global) reach.add(record);
    });
  return reach.leads_to_the_host();
}

}  // namespace hipaudit::ledger
