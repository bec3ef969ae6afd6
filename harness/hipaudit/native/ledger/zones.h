// Red zones round device allocations, poison in them and after them, and freed memory held back.
//
// Over ROCm, where nothing else sees a kernel's stray write. The emulated device guards its own
// buffers, so over it these are off. Only hipMalloc's memory has them: the other kinds are handed
// to calls that want the very address which the library below gave out.
#pragma once

#include "ledger.h"

namespace hipaudit::ledger {

// hipMalloc with what the options ask for round it.
hipError_t allocate_guarded(const Call& call, void** out, uint64_t size);

// Verifies the zones of what kernels and copies used since the last time.
void check_used_zones(const Call& call);

// Verifies all zones, and what is held back.
void check_all_zones(const char* name);

// A call used that memory.
void note_used(const Record& record);

// The device was reset: what was held back is gone.
void forget_held_back();

void lock_zones();
void unlock_zones();

}  // namespace hipaudit::ledger
