// Errors that calls returned and nobody looked at.
//
// Only Python says whether anybody did: a statement that drops what its call returned cannot have.
// The thread may still ask for its last error later; what was not asked for by the end is reported.
#pragma once

#include "api.h"
#include "thread.h"

namespace hipaudit::ledger {

// The status of a tracked call, on its way to the caller.
hipError_t ended(const Call& call, hipError_t status);

// The thread asked for its last error.
void errors_were_fetched();

void report_ignored_errors();

void lock_errors();
void unlock_errors();

}  // namespace hipaudit::ledger
