// Streams and events that are used after they were destroyed.
#pragma once

#include "ledger.h"

namespace hipaudit::ledger {

// True when a call is given a handle that was destroyed, which was reported: the call must not go
// on to the library below, for which it is freed memory.
bool is_over(const Call& call, hipStream_t stream);
bool is_over(const Call& call, hipEvent_t event);

// hipErrorInvalidHandle, by a call of the library below that must fail.
hipError_t refuse_handle();

}  // namespace hipaudit::ledger
