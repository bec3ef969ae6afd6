// What a kernel can get at, and through it the host: who polls what a kernel writes may learn from
// it that all that came before the kernel is done.
#pragma once

#include "launches.h"

namespace hipaudit::ledger {

// True when the launch may write memory of the host's: what it was given, what an address in that
// leads to, or what a variable of a module leads to. With the ledger's lock held.
bool may_tell_the_host(const Launch& launch);

}  // namespace hipaudit::ledger
