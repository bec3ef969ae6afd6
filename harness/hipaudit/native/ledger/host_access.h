// The host's own loads and stores of memory that an operation under way uses: each is a fault of
// the processor, looked at where it happens and then let through.
#pragma once

#include <cstddef>

namespace hipaudit::ledger {

// False when faults would not come here first: another handler stands before the device's.
bool sees_faults();

// The host is about to have the system read memory, or write it.
void host_uses(const void* memory, size_t bytes, bool write);

}  // namespace hipaudit::ledger
