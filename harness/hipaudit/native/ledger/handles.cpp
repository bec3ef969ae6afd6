#include "handles.h"

#include "below.h"

namespace hipaudit::ledger {
namespace {

bool is_over(const Call& call, const void* handle, Kind kind) {
  if (!call.tracked || handle == nullptr) return false;
  Finding finding;
  {
    Locked lock(ledger().mutex);
    auto number = reinterpret_cast<uintptr_t>(handle);
    const Record* record = ledger().records.find_handle(number, kind);
    if (record == nullptr || record->live) return false;
    finding.kind = "use-after-free";
    finding.call = call.name;
    finding.stack = call.stack;
    finding.subject = subject_of(*record, number);
    finding.other_call = record->death_call;
    finding.other_stack = record->death_stack;
    finding.message = std::string(call.name) + " is given " + title(*record) + ", which " +
                      (record->death_call != nullptr ? record->death_call : "something") +
                      " destroyed";
  }
  report(finding);
  return true;
}

}  // namespace

bool is_over(const Call& call, hipStream_t stream) { return is_over(call, stream, Kind::stream); }
bool is_over(const Call& call, hipEvent_t event) { return is_over(call, event, Kind::event); }

hipError_t refuse_handle() {
  static Below<decltype(hipEventQuery)> below("hipEventQuery");
  hipError_t status = below(nullptr);
  return status != hipSuccess ? status : hipErrorInvalidHandle;
}

}  // namespace hipaudit::ledger
