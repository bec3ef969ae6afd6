// What the ledger adds to the device's findings: JSON members of the finding as a whole, or of an
// allocation in it.
#pragma once

#include <cstdint>
#include <string>

namespace hipaudit {

// Asked on the thread whose call found it. 0 asks about the call. The text is valid until the
// thread's next question; null or empty: nothing is known.
using Annotator = const char* (*)(uint64_t allocation);

std::string annotation(uint64_t allocation);

}  // namespace hipaudit
