// The ledger's word in the emulated device's findings: which call it was, and the allocation's
// life.
#pragma once

namespace hipaudit::ledger {

void annotate_the_device();

}  // namespace hipaudit::ledger
