// Wave operations that HIP leaves undefined: masks that do not name who takes part, shuffles from
// lanes that do not.
#include <cstdio>

#include "check/checker.h"
#include "check/probe.h"

namespace hipaudit {
namespace {

const char* state_of(const WaveMisuse& misuse) {
  if (misuse.other == nullptr) return "which the block does not have";
  if (misuse.other->finished) return "which has ended";
  bool here = misuse.other->wait == Wait::wave && misuse.other->site == misuse.caller->site;
  return here ? "which is here with another mask" : "which does not take part";
}

std::string describe(const WaveMisuse& misuse, uint32_t own_lane) {
  auto mask = static_cast<unsigned long long>(misuse.mask);
  char text[200];
  switch (misuse.fault) {
    case WaveFault::empty_mask:
      return "the mask names no lane";
    case WaveFault::not_named:
      snprintf(text, sizeof text, "lane %u is not in its own mask %#llx", own_lane, mask);
      return text;
    case WaveFault::lanes_missing:
      snprintf(text, sizeof text, "the mask %#llx names lane %u, %s", mask, misuse.lane,
               state_of(misuse));
      return text;
    default:
      snprintf(text, sizeof text, "lane %u gets an undefined value from lane %u, %s", own_lane,
               misuse.lane, state_of(misuse));
      return text;
  }
}

bool waits(const Fiber* fiber) {
  return fiber != nullptr && fiber->started && !fiber->finished && fiber->wait != Wait::none;
}

}  // namespace

uint64_t Checker::wave_misused(Worker& worker, Block& block, const WaveMisuse& misuse) {
  flush_pending(check_of(worker), *worker.launch);
  const Launch& launch = *worker.launch;
  uint32_t thread = misuse.caller->index.flat;
  Observation seen;
  seen.kind =
      misuse.fault == WaveFault::inactive_source ? "undefined-behaviour" : "barrier-divergence";
  seen.message = describe(misuse, thread & (launch.wave_size - 1));
  seen.here = {reinterpret_cast<uintptr_t>(misuse.caller->site) - 1, block.index.flat, thread};
  if (waits(misuse.other) && misuse.other->site != misuse.caller->site)
    seen.other = {reinterpret_cast<uintptr_t>(misuse.other->site) - 1, block.index.flat,
                  misuse.other->index.flat};
  if (misuse.fault == WaveFault::inactive_source) return probe_undefined(worker, block, seen);
  observe(launch, seen);
  return 0;
}

}  // namespace hipaudit
