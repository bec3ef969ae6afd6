// The end of the process, and what is written then.
#pragma once

#include <string>

#include "../device/json.h"

namespace hipaudit::ledger {

// The journal's records of sums; `final`: nothing comes after them.
std::string memory_record(bool final);
std::string copies_record(bool final);
std::string waits_record(bool final);

// Writes the sums and the repeats of findings to the journal.
void write_sums(bool final);

}  // namespace hipaudit::ledger
