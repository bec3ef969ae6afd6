// Whose the shadow of device memory is, stripe by stripe.
//
// The workers of a launch share it, and an atomic exchange a word would cost more than all the rest
// of a check. But most memory is one block's business: so the first worker that comes to a stripe
// owns it and uses no atomics there, until the launch ends or another worker comes. From then on
// the stripe is everybody's, and all use atomics.
//
// An owner says which stripe it visits before it looks whose that is, without a fence in between.
// Who takes the stripe from it makes the owner's processor run one (membarrier), and then waits for
// the visit's end: visits are short, and wait for nobody.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hipaudit/check_window.h"

namespace hipaudit {

// Bytes of device memory. Stripes that lie a multiple of all stripes' bytes apart count as one.
constexpr uintptr_t kStripeBytes = 1024;
constexpr size_t kStripes = size_t{1} << 16;

// Owners are numbers that grow from launch to launch: a smaller one than those of the running
// launch owns nothing.
constexpr unsigned kOwnersBits = 6;
constexpr uint64_t kEverybody = (uint64_t{1} << kOwnersBits) - 1;  // the last of a launch

inline size_t stripe_of(uintptr_t offset) { return offset / kStripeBytes % kStripes; }

inline void end_visit(const CheckWindow& window) {
  __atomic_store_n(window.visited, 0, __ATOMIC_RELEASE);
}

// Makes the stripe the worker's own if it is nobody's, and everybody's if it is another worker's,
// or if processors cannot be made to run a fence here.
void settle_stripe(const CheckWindow& window, size_t stripe);
// The same of all stripes of [offset, offset + size) that are neither yet.
void settle_stripes(const CheckWindow& window, uintptr_t offset, size_t size);

// Begins a visit to the shadow of the stripe, unless that is everybody's: then true.
inline bool share_or_visit(const CheckWindow& window, size_t stripe) {
  for (;;) {
    // What is everybody's stays so.
    if (__atomic_load_n(&window.owners[stripe], __ATOMIC_ACQUIRE) == (window.self | kEverybody))
      return true;
    __atomic_store_n(window.visited, stripe + 1, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__atomic_load_n(&window.owners[stripe], __ATOMIC_ACQUIRE) == window.self) return false;
    end_visit(window);
    settle_stripe(window, stripe);
  }
}

// Before each launch: nobody owns anything.
void begin_stripes();
// Tells the window of a worker what it needs.
void publish_stripes(CheckWindow& window, int worker, bool several);

}  // namespace hipaudit
