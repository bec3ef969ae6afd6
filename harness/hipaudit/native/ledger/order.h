// What happens before what: a clock for each stream and one for the host. An operation is a
// stream's slot and its count there; it happened before another when the other's clock has that
// count.
//
// The host is one: how its threads order each other is not seen, so that they do is assumed. Where
// HIP's texts leave open whether a call waits, it is taken to wait: what is reported is certain.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api.h"
#include "thread.h"

namespace hipaudit::ledger {

void join(Clock& target, const Clock& other);

// True when the first has all that the other has.
bool covers(const Clock& known, const Clock& other);

struct Lane {
  uint64_t handle = 0;
  Clock clock;
  uint32_t number = 0;
  uint8_t device = 0;
  bool legacy = false;   // the null stream of its device
  bool blocking = true;  // it and the null stream wait for each other
  bool per_thread = false;
  bool used = false;
  uint64_t capture = 0;  // what is enqueued goes into this graph and does not run; 0: it runs
};

struct EventState {
  Clock clock;
  bool recorded = false;
  uint64_t capture = 0;
};

// Not locked: the ledger's own lock is held by whoever calls.
class Order {
 public:
  int add_stream(uint64_t handle, uint8_t device, bool blocking, uint32_t number);
  void drop_stream(uint64_t handle);
  void drop_lane(int slot);

  // The slot of a stream as a call names it; that of a stream never seen is made.
  int slot_of(hipStream_t stream, Thread& thread, int device);
  const Lane& lane(int slot) const { return lanes_[static_cast<size_t>(slot)]; }
  std::string name_of(int slot) const;

  // A new operation on a stream comes after what its clock then has. False: it is captured.
  bool advance(int slot, const Thread& thread);

  // The host has waited, or is known to come after what the clock has.
  void host_waits(const Clock& clock);
  const Clock& host() const { return host_; }

  // What waiting for a stream, or a whole device, waits for.
  Clock pending(int slot);
  Clock pending_on(int device);

  bool before_host(int slot, uint64_t epoch) const { return has(host_, slot, epoch); }
  static bool has(const Clock& clock, int slot, uint64_t epoch) {
    auto at = static_cast<size_t>(slot);
    return at < clock.size() && clock[at] >= epoch;
  }

  EventState& event(uint64_t handle) { return events_[handle]; }
  void drop_event(uint64_t handle) { events_.erase(handle); }
  void record(uint64_t event, int slot);
  void wait(int slot, uint64_t event);
  void wait(int slot, const Clock& clock) { join(lanes_[static_cast<size_t>(slot)].clock, clock); }

  void begin_capture(int slot);
  void end_capture(int slot);
  bool capturing() const;

  // True when more than one stream was ever used: only then can an order be missing.
  bool concurrent() const { return lanes_.size() > 1; }

 private:
  int new_lane();
  int legacy_slot(int device);

  std::vector<Lane> lanes_;
  std::vector<int> unused_;
  std::map<uint64_t, int> slots_;
  std::map<int, int> legacy_;
  std::map<uint64_t, EventState> events_;
  Clock host_;
  uint64_t last_capture_ = 0;
};

}  // namespace hipaudit::ledger
