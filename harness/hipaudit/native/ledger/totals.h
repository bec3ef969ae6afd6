// Sums over a run: by the site that allocated, over time, and at the highest mark. They grow with
// the number of sites and not with the number of events.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "../device/json.h"
#include "record.h"
#include "table.h"

namespace hipaudit::ledger {

// What was done with the memory of a site.
struct SiteUses {
  uint64_t copied_to = 0;
  uint64_t copied_to_bytes = 0;
  uint64_t copied_from = 0;
  uint64_t copied_from_bytes = 0;
  uint64_t async_copies = 0;
  uint64_t fills = 0;
  uint64_t launches = 0;  // in which a kernel was given it
};

// Where memory is made: a stack and the function that was called there.
struct Site {
  uint32_t stack = 0;
  const char* call = "";
  Kind kind = Kind::device;
  uint64_t allocations = 0;
  uint64_t frees = 0;
  uint64_t bytes = 0;
  uint64_t live_bytes = 0;
  uint64_t live = 0;
  uint64_t peak_bytes = 0;  // at the moment of the highest mark `seen_peak`
  uint64_t peak_live = 0;
  uint64_t seen_peak = 0;
  SiteUses uses;
};

struct Live {
  uint64_t bytes = 0;
  uint64_t allocations = 0;
};

// A stretch of the run in which somebody wants to know the highest mark.
struct Scope {
  int id = 0;
  std::string name;
  uint64_t allocations = 0;
  uint64_t frees = 0;
  uint64_t bytes = 0;
  uint64_t peak_bytes = 0;
  uint64_t start_bytes = 0;
  uint64_t since = 0;
};

// Not locked: the ledger's own lock is held by whoever calls.
class Totals {
 public:
  uint32_t site(uint32_t stack, const char* call, Kind kind);
  const Site& at(uint32_t site) const { return sites_[site]; }
  SiteUses& uses(uint32_t site) { return sites_[site].uses; }

  void born(const Record& record);
  void died(const Record& record);
  void unborn(const Record& record);  // a free that the device refused

  Live live() const { return live_; }
  void put(JsonWriter& json);  // members of the journal's memory record
  std::vector<Scope>& scopes() { return scopes_; }

 private:
  struct Point {
    uint64_t time_ms = 0;
    Live live;
    uint64_t peak_bytes = 0;
  };
  static constexpr size_t kMostPoints = 1024;
  static constexpr size_t kMostOwners = 64;

  void touch(Site& site);  // before its live bytes change
  void mark();             // after the live bytes changed
  void put_peak(JsonWriter& json);
  void put_sites(JsonWriter& json);
  void thin_out();

  std::deque<Site> sites_{Site{}};
  Table table_;
  Live live_;
  Live peak_;
  uint64_t peak_number_ = 1;
  uint64_t peak_time_ms_ = 0;
  uint64_t allocations_ = 0;
  uint64_t frees_ = 0;
  uint64_t bytes_ = 0;
  std::vector<Point> points_;
  uint64_t step_ms_ = 4;
  std::vector<Scope> scopes_;
};

// Milliseconds since the ledger was loaded, to a few of them.
uint64_t now_ms();

}  // namespace hipaudit::ledger
