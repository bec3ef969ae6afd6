// Memory of the host that an asynchronous copy or fill may still be using: its pages are protected
// until the host has waited, so that the host's own loads and stores are seen.
//
// Only on the emulated device, which has done the work when the call returns, so that nobody but
// the host has business with those pages. Only pages that hold nothing but the operation's bytes
// are protected: a right program never meets a protected page, in a call of the system either.
#pragma once

#include <atomic>
#include <cstdint>

#include "order.h"
#include "record.h"
#include "thread.h"
#include "uses.h"

namespace hipaudit::ledger {

// An operation whose pages are protected. Reading memory leaves it readable.
struct Watch {
  uint64_t first = 0;  // its pages
  uint64_t end = 0;
  Access access;
  uint64_t address = 0;  // of the allocation
  uint64_t serial = 0;
  uint32_t lifted_by = 0;  // the thread whose call uses the memory now; 0: nobody
};

// Stands for a kernel's threads among those that use memory.
constexpr uint32_t kKernel = UINT32_MAX;

extern std::atomic<int> watches;  // how many there are
inline bool watching() { return watches.load(std::memory_order_relaxed) != 0; }

// Protects what an operation that nobody has waited for uses, where it is the host's memory. With
// the ledger's lock held, as the next three.
void watch(Record& record, const Access& access);

// The host may know of all that a clock has.
void end_watches(const Clock& known);

// Memory ends.
void end_watches(uint64_t begin, uint64_t end);

void end_all_watches();

// The device may read memory, or write it, until the thread's call returns.
void lift_watches(uint32_t thread, uint64_t begin, uint64_t end, bool write);
void put_back_watches(uint32_t thread);

// Lifts whatever keeps an access from its page. False: nothing does. No lock need be held.
bool lift_at(uint32_t thread, uint64_t address, bool write);

// The same for good, of all bytes of an access; of several operations `out` is the last one.
bool end_at(uint64_t begin, uint64_t end, bool write, Watch* out);

void lock_watches();
void unlock_watches();

}  // namespace hipaudit::ledger
