// Calls that wait: what the host comes after when they return.
#pragma once

#include "errors.h"
#include "ledger.h"

namespace hipaudit::ledger {

// What a call will have waited for, taken before it waits.
struct Waiting {
  Clock clock;
  bool active = false;
};

Waiting begin_wait(const Call& call, hipStream_t stream);
Waiting begin_wait_for_device(const Call& call);
Waiting begin_wait_for_event(const Call& call, hipEvent_t event);

// The call returned without an error. `hidden` gives the reason when it is no synchronisation by
// its name; nullptr: it is one.
void end_wait(const Call& call, const Waiting& waiting, hipStream_t stream, const char* hidden);

template <typename Forward>
hipError_t wait_for(const Call& call, hipStream_t stream, const Waiting& waiting, Forward forward) {
  hipError_t status = forward();
  // The wait took place also when what was waited for had failed.
  if (status != hipErrorNotReady && status != hipErrorInvalidHandle)
    end_wait(call, waiting, stream, nullptr);
  return ended(call, status);
}

}  // namespace hipaudit::ledger
