// What a launch did with its barriers and its shared memory: nothing that is wrong, but what shows
// which of them it needs. Runs in which some barriers order nothing tell who would race without
// them.
#pragma once

#include <cstdint>

#include "device/worker.h"

namespace hipaudit {

// Reads the settings; the kernel's code is known by now.
void begin_hygiene(Launch& launch);
// Counts a completed barrier. Returns what it orders: `kind`, or what the settings say; -1: it
// orders nothing and is to be passed as if it were not there.
int note_barrier(const Launch& launch, const Block& block, int kind);
// An atomic access: two of them do not race, but a barrier may be what keeps them in their order.
void note_atomic(const Worker& worker, uintptr_t address, bool writes, uintptr_t pc);
// Threads of a block were in order because one read what another had released: in another run the
// read may come first.
void note_handover();
// The block's part of shared memory that was read or written.
void note_shared_use(const Launch& launch, const uint8_t* states);
// Journals the barriers and the shared memory of the launch where the settings ask for it.
void end_hygiene(Launch& launch);

}  // namespace hipaudit
