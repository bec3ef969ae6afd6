// What the ledger needs to see the host's own loads and stores: faults come to it before the
// device looks at them, and it is told which pages hold nothing but what it wants to protect.
#include "watch.h"

#include "address_space.h"
#include "export.h"
#include "memory.h"
#include "worker.h"

namespace hipaudit {
namespace {

std::atomic<FaultHook> hook{nullptr};

uintptr_t page_of(uintptr_t address) { return address / kPageBytes * kPageBytes; }

}  // namespace

bool ask_about_fault(const HostFault& fault) {
  FaultHook ask = hook.load();
  return ask != nullptr && ask(&fault);
}

}  // namespace hipaudit

using hipaudit::Allocation;
using hipaudit::MemoryKind;

// Hands faults to the hook from now on. 0: another handler of the process stands before the
// device's, and faults would go there first.
HIPAUDIT_EXPORT int hipaudit_watch_faults(hipaudit::FaultHook asked) {
  hipaudit::hook = asked;
  return hipaudit::faults_come_here_first() ? 1 : 0;
}

// The pages that nobody has business with but users of [begin, begin + bytes): whole ones, and
// those at the ends of a buffer that has its pages to itself.
HIPAUDIT_EXPORT void hipaudit_own_pages(uintptr_t begin, size_t bytes, uintptr_t* first,
                                        uintptr_t* end) {
  *first = hipaudit::round_up(begin, hipaudit::kPageBytes);
  *end = hipaudit::page_of(begin + bytes);
  Allocation held;
  if (!hipaudit::find_live(begin, bytes, &held) || !hipaudit::has_own_pages(held)) return;
  if (begin == held.address) *first = hipaudit::page_of(begin);
  uintptr_t limit = held.address + held.size;
  if (begin + bytes == limit) *end = hipaudit::round_up(limit, hipaudit::kPageBytes);
}
