// The ledger itself: what lives, and the rules by which it may end.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "../device/sync.h"
#include "api.h"
#include "errors.h"
#include "findings.h"
#include "options.h"
#include "order.h"
#include "records.h"
#include "thread.h"
#include "totals.h"
#include "traffic.h"

namespace hipaudit::ledger {

struct ExpectedSite {
  std::string file_suffix;
  int line;
  std::string reason;
};

struct Ledger {
  Mutex mutex;
  Records records;
  Totals totals;
  Order order;
  Traffic traffic;
  uint64_t first_own_serial = 1;             // what a forked child's parent made has smaller ones
  std::map<uint64_t, std::string> expected;  // by serial
  std::vector<ExpectedSite> expected_sites;
  bool closed = false;  // the report of the end was written
};

// Made when the library is loaded and never destroyed: programs free memory from exit handlers.
Ledger& ledger();

// The same as a finding shows it. With the lock held.
Subject subject_of(const Record& record, uint64_t address);

// A set of kinds, as a call accepts them.
using Kinds = uint32_t;
constexpr Kinds only(Kind kind) { return Kinds{1} << static_cast<int>(kind); }
constexpr bool accepts(Kinds kinds, Kind kind) { return (kinds & only(kind)) != 0; }

// hipErrorInvalidValue, by a call of the library below that must fail: its thread's last error is
// then set, too.
hipError_t refuse();

int current_device(Thread& thread);

// Enters what a call made. `address` is the memory's, or the handle.
struct Birth {
  Kind kind;
  uint64_t address;
  uint64_t size = 0;
  uint32_t zone = 0;
  bool ordered = false;  // in `stream`: elsewhere it must not be used before
  hipStream_t stream = nullptr;
};
void enter(const Call& call, const Birth& birth);

// The stream that a call names, of the device that is current. With the lock held.
int slot_of(const Call& call, hipStream_t stream);

void report_all(const std::vector<Finding>& findings);

// A call that ends memory or a handle: `forward` hands it to the library below, unless the ledger
// knows better. Statuses that say "no such thing" undo the entry.
struct Death {
  const Call& call;
  uint64_t address;
  Kinds accepted;
  Kind handle = Kind::device;  // a handle's own kind; device: it is memory
  bool ordered = false;        // it ends in `stream`, after what was enqueued there
  hipStream_t stream = nullptr;
  bool waits = false;  // for all work of the device
};

// What must be said, and whether the call may go on to the device.
struct Verdict {
  bool forward = true;
  bool entered = false;  // a live record was marked as freed
  bool done = false;     // by an earlier call already, which was the wrong one
  Record freed;          // as it was
  Clock waited;          // what the call waits for
  std::vector<Finding> findings;
};
Verdict begin_death(const Death& death);
void end_death(const Death& death, const Verdict& verdict, hipError_t status);

// hipFree of memory with red zones, whichever call frees it: the library below knows it by another
// address. The ledger has marked it as freed.
hipError_t free_guarded(const Call& call, const Record& freed);

template <typename Forward, typename Refuse>
hipError_t end_life(const Death& death, Forward forward, Refuse refuse) {
  Verdict verdict = begin_death(death);
  report_all(verdict.findings);
  hipError_t status = hipSuccess;
  if (!verdict.forward)
    status = verdict.done ? hipSuccess : refuse();
  else if (verdict.freed.zone != 0)
    status = free_guarded(death.call, verdict.freed);
  else
    status = forward();
  end_death(death, verdict, status);
  return ended(death.call, status);
}

// True when a call is the one of its kind that the options let fail.
bool fails(Failing kind);

// True when an allocation of so many bytes is to fail, or would exceed the budget.
bool refuses(uint64_t bytes);

}  // namespace hipaudit::ledger
