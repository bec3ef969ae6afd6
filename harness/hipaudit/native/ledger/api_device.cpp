// Calls about devices: which one is current, and when all of one is given back.
#include "../device/export.h"
#include "below.h"
#include "errors.h"
#include "ledger.h"
#include "zones.h"

namespace hipaudit::ledger {
namespace {

// Of the thread's current device nothing is known any more.
hipError_t chosen(const char* name, hipError_t status) {
  this_thread().device = -1;
  if (status == hipSuccess) return status;
  Call call(name);
  return ended(call, status);
}

void end_everything(const Call& call, int device) {
  Locked lock(ledger().mutex);
  ledger().order.host_waits(ledger().order.pending_on(device));
  std::vector<Record*> ended;
  ledger().records.each_live([&](Record& record) {
    if (record.device == device) ended.push_back(&record);
  });
  for (Record* record : ended) {
    record->death_call = call.name;
    record->death_stack = call.stack;
    if (is_memory(record->kind) && record->kind != Kind::global) ledger().totals.died(*record);
    ledger().records.bury(*record);
  }
}

}  // namespace

HIPAUDIT_EXPORT hipError_t hipGetLastError() {
  static constinit Below<decltype(hipGetLastError)> below("hipGetLastError");
  errors_were_fetched();
  return below();
}

HIPAUDIT_EXPORT hipError_t hipPeekAtLastError() {
  static constinit Below<decltype(hipPeekAtLastError)> below("hipPeekAtLastError");
  errors_were_fetched();
  return below();
}

HIPAUDIT_EXPORT hipError_t hipExtGetLastError() {
  static constinit Below<decltype(hipExtGetLastError)> below("hipExtGetLastError");
  errors_were_fetched();
  return below();
}

HIPAUDIT_EXPORT hipError_t hipSetDevice(int device) {
  static constinit Below<decltype(hipSetDevice)> below("hipSetDevice");
  return chosen("hipSetDevice", below(device));
}

HIPAUDIT_EXPORT hipError_t hipCtxSetCurrent(hipCtx_t context) {
  static constinit Below<decltype(hipCtxSetCurrent)> below("hipCtxSetCurrent");
  return chosen("hipCtxSetCurrent", below(context));
}

HIPAUDIT_EXPORT hipError_t hipCtxPushCurrent(hipCtx_t context) {
  static constinit Below<decltype(hipCtxPushCurrent)> below("hipCtxPushCurrent");
  return chosen("hipCtxPushCurrent", below(context));
}

HIPAUDIT_EXPORT hipError_t hipCtxPopCurrent(hipCtx_t* context) {
  static constinit Below<decltype(hipCtxPopCurrent)> below("hipCtxPopCurrent");
  return chosen("hipCtxPopCurrent", below(context));
}

HIPAUDIT_EXPORT hipError_t hipDeviceReset() {
  static constinit Below<decltype(hipDeviceReset)> below("hipDeviceReset");
  Call call("hipDeviceReset");
  if (!call.tracked) return below();
  int device = current_device(*call.thread);
  hipError_t status = below();
  if (status != hipSuccess) return status;
  forget_held_back();
  end_everything(call, device);
  return status;
}

}  // namespace hipaudit::ledger
