// Buffers on pages of their own, with inaccessible pages on both sides.
//
// A buffer ends within 255 bytes of the end of its last page, so that running off its end by 256
// bytes or more faults at once; what is left of its pages is painted and checked when it is freed.
// Its pages then go back to the system and its addresses fault, until the cursor has gone round the
// whole region: 64 GiB of newer addresses and more have been given out by then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>

#include "memory.h"

namespace hipaudit {

class GuardedRegion {
 public:
  static constexpr size_t kMaxLive = 4096;  // each costs the system two mappings, of 65,530

  GuardedRegion(uintptr_t start, uintptr_t end);

  // Opens a buffer and fills in its address. False: no room, or too many are live.
  bool open(Allocation* allocation);

  // Forgets a live buffer and closes its pages.
  void close(const Allocation& allocation);

  Allocation* find_live(uintptr_t address);

  // The live buffer that holds the address, else the freed one, else nullptr.
  const Allocation* find(uintptr_t address) const;

  template <typename Visit>
  void each_live(Visit visit) const {
    for (const auto& [base, buffer] : live_) visit(buffer);
  }

 private:
  using Buffers = std::map<uintptr_t, Allocation>;  // by the start of their first page

  uintptr_t find_room(size_t bytes, size_t alignment);
  uintptr_t first_fit(uintptr_t from, size_t bytes, size_t alignment) const;
  void remember_freed(uintptr_t base, const Allocation& allocation);
  void forget_freed(uintptr_t start, uintptr_t end);

  uintptr_t start_;
  uintptr_t end_;
  uintptr_t cursor_;  // room is looked for from here on
  Buffers live_;
  Buffers freed_;
  std::deque<std::pair<uintptr_t, uint64_t>> freed_order_;  // page start and id, oldest first
};

// The painted bytes before and after a guarded buffer.
struct Slack {
  uintptr_t start;
  size_t bytes;
};
Slack slack_before(const Allocation& allocation);
Slack slack_after(const Allocation& allocation);

}  // namespace hipaudit
