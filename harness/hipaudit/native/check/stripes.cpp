#include "stripes.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "device/sync.h"
#include "device/worker.h"

namespace hipaudit {
namespace {

static_assert(kMostWorkers < kEverybody, "every worker has a number");

// The stripe that a worker visits, and one; 0: none.
struct alignas(64) Visit {
  unsigned long long stripe = 0;
};

unsigned long long owners[kStripes];
Visit visits[kMostWorkers];
uint64_t launch_number = 0;
Mutex mutex;
unsigned taken = 0;  // from their owners, in this launch
bool can_interrupt = false;

bool fence_all_processors(int command = MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
  return syscall(SYS_membarrier, command, 0, 0) == 0;
}

// Every time twice as many, so that memory that all blocks use is soon everybody's.
size_t how_many() { return std::min(kStripes, size_t{1} << std::min(taken, 32u)); }

// The stripe and those round it become everybody's; returns when nobody visits them alone.
void take(const CheckWindow& window, size_t stripe) {
  Locked lock(mutex);
  uint64_t everybody = window.self | kEverybody;
  if (__atomic_load_n(&owners[stripe], __ATOMIC_ACQUIRE) == everybody) return;
  size_t count = how_many();
  size_t first = stripe / count * count;
  ++taken;
  for (size_t i = first; i < first + count; ++i)
    __atomic_store_n(&owners[i], everybody, __ATOMIC_SEQ_CST);
  fence_all_processors();
  for (Visit& visit : visits) {
    auto there = [&] {
      uint64_t stripe_and_one = __atomic_load_n(&visit.stripe, __ATOMIC_ACQUIRE);
      return stripe_and_one - 1 - first < count;
    };
    constexpr unsigned kPatience = 256;
    for (unsigned tries = 0; there(); ++tries)
      if (tries >= kPatience) sched_yield();
  }
}

}  // namespace

void settle_stripe(const CheckWindow& window, size_t stripe) {
  unsigned long long seen = __atomic_load_n(&owners[stripe], __ATOMIC_ACQUIRE);
  uint64_t everybody = window.self | kEverybody;
  while (seen < (everybody & ~kEverybody)) {
    uint64_t next = can_interrupt ? window.self : everybody;
    if (__atomic_compare_exchange_n(&owners[stripe], &seen, next, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
      return;
  }
  if (seen != window.self && seen != everybody) take(window, stripe);
}

void settle_stripes(const CheckWindow& window, uintptr_t offset, size_t size) {
  size_t count = (offset + size - 1) / kStripeBytes - offset / kStripeBytes + 1;
  for (size_t i = 0; i < std::min(count, kStripes); ++i)
    settle_stripe(window, stripe_of(offset + i * kStripeBytes));
}

void begin_stripes() {
  static bool asked = false;
  if (!asked) can_interrupt = fence_all_processors(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
  asked = true;
  ++launch_number;
  taken = 0;
  // Of a process that was forked in the middle of a launch, only the memory is here.
  for (Visit& visit : visits) visit.stripe = 0;
}

void publish_stripes(CheckWindow& window, int worker, bool several) {
  window.several = several ? 1 : 0;
  window.owners = owners;
  window.self = launch_number << kOwnersBits | static_cast<unsigned>(worker);
  window.visited = &visits[worker].stripe;
}

}  // namespace hipaudit
