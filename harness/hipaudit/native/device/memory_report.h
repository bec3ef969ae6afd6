// Findings about allocations: how a report names one, and what release finds in the bytes round it.
#pragma once

#include <string>

#include "canary.h"
#include "journal.h"
#include "memory.h"

namespace hipaudit {

// "device allocation 3"
std::string allocation_name(const Allocation& allocation);

// "100 bytes past its end", "8 bytes before its start", "at offset 12"
std::string place_in(const Allocation& allocation, uintptr_t address);

AllocationNote allocation_note(const Allocation& allocation, uintptr_t address);

// The painted bytes beside a buffer were overwritten; by the kernel, when one is named.
void report_overwritten(const Allocation& allocation, const Damage& damage,
                        const std::string& kernel);

// A freed buffer was written to.
void report_written_after_free(const Allocation& allocation, uintptr_t address, size_t bytes);

}  // namespace hipaudit
