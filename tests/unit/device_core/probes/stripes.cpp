// Threads that count in places which are theirs alone until another one comes.
#include "check/stripes.h"

#include <pthread.h>
#include <sched.h>

namespace {

constexpr size_t kPlaces = 8;

struct Counting {
  int worker = 0;
  int counts = 0;
  pthread_t thread = {};
};

// Each in a stripe and a cache line of its own.
struct alignas(64) Place {
  volatile unsigned long long count = 0;
} places[kPlaces];

void* count(void* argument) {
  const auto& counting = *static_cast<const Counting*>(argument);
  hipaudit::CheckWindow window = {};
  hipaudit::publish_stripes(window, counting.worker, true);
  unsigned chance = static_cast<unsigned>(counting.worker) * 2654435761u + 1;
  for (int i = 0; i < counting.counts; ++i) {
    chance = chance * 1664525u + 1013904223u;
    bool elsewhere = chance >> 24 == 0;
    size_t at = (static_cast<size_t>(counting.worker) + (elsewhere ? 1 : 0)) % kPlaces;
    Place& place = places[at];
    if (hipaudit::share_or_visit(window, at * 1001)) {
      __atomic_fetch_add(&place.count, 1, __ATOMIC_SEQ_CST);
    } else {
      unsigned long long seen = place.count;
      if ((chance >> 8 & 0xff) == 0) sched_yield();  // a long visit
      place.count = seen + 1;
      hipaudit::end_visit(window);
    }
  }
  return nullptr;
}

}  // namespace

// How many counts were lost.
extern "C" __attribute__((visibility("default"))) long lost(int launches, int workers, int counts) {
  for (Place& place : places) place.count = 0;
  for (int launch = 0; launch < launches; ++launch) {
    Counting all[8];
    hipaudit::begin_stripes();
    for (int i = 0; i < workers; ++i) {
      all[i].worker = i;
      all[i].counts = counts;
      pthread_create(&all[i].thread, nullptr, count, &all[i]);
    }
    for (int i = 0; i < workers; ++i) pthread_join(all[i].thread, nullptr);
  }
  long sum = 0;
  for (const Place& place : places) sum += static_cast<long>(place.count);
  return static_cast<long>(launches) * workers * counts - sum;
}
