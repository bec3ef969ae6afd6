#include "waits.h"

#include "zones.h"

namespace hipaudit::ledger {
Waiting begin_wait(const Call& call, hipStream_t stream) {
  if (!call.tracked) return {};
  current_device(*call.thread);
  Locked lock(ledger().mutex);
  return {ledger().order.pending(slot_of(call, stream)), true};
}

Waiting begin_wait_for_device(const Call& call) {
  if (!call.tracked) return {};
  int device = current_device(*call.thread);
  Locked lock(ledger().mutex);
  return {ledger().order.pending_on(device), true};
}

Waiting begin_wait_for_event(const Call& call, hipEvent_t event) {
  if (!call.tracked) return {};
  Locked lock(ledger().mutex);
  return {ledger().order.event(reinterpret_cast<uintptr_t>(event)).clock, true};
}

void end_wait(const Call& call, const Waiting& waiting, hipStream_t stream, const char* hidden) {
  if (!waiting.active) return;
  check_used_zones(call);
  Ledger& own = ledger();
  Locked lock(own.mutex);
  int slot = slot_of(call, stream);
  WaitNote note;
  note.hidden = hidden != nullptr;
  note.reason = hidden != nullptr ? hidden : "";
  note.needless = covers(own.order.host(), waiting.clock);
  own.traffic.note_wait(call, own.order.lane(slot), own.order.name_of(slot), note);
  own.order.host_waits(waiting.clock);
}

}  // namespace hipaudit::ledger
