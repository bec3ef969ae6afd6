// Whether an undefined value matters: it does when what the block leaves behind depends on it.
#pragma once

#include "check/checker.h"

namespace hipaudit {

// An operation of the running block yields an undefined value. Reports `seen` at once when such a
// value from there is known to matter, else tries it out: settle_probes reports it then. Returns
// the value to go on with.
uint64_t probe_undefined(Worker& worker, Block& block, const Observation& seen);
// The block has ended.
void settle_probes(Worker& worker, Block& block);
// The launch has ended.
void forget_probes();

}  // namespace hipaudit
