// Streams and events: handles that live and end, and the order that they make.
#include "../device/export.h"
#include "below.h"
#include "handles.h"
#include "ledger.h"
#include "waits.h"
#include "watch.h"

namespace hipaudit::ledger {
namespace {

uint64_t number(const void* handle) { return reinterpret_cast<uintptr_t>(handle); }

void made_stream(const Call& call, hipStream_t stream, bool blocking) {
  enter(call, {Kind::stream, number(stream)});
  Locked lock(ledger().mutex);
  const Record* record = ledger().records.find_handle(number(stream), Kind::stream);
  if (record != nullptr)
    ledger().order.add_stream(number(stream), record->device, blocking, record->number);
}

template <typename Forward>
hipError_t make_stream(const char* name, hipStream_t* out, bool blocking, Forward forward) {
  Call call(name);
  if (call.tracked && fails(Failing::streams)) return hipErrorOutOfMemory;
  hipError_t status = forward();
  if (call.tracked && status == hipSuccess && out != nullptr) made_stream(call, *out, blocking);
  return ended(call, status);
}

template <typename Forward>
hipError_t make_event(const char* name, hipEvent_t* out, Forward forward) {
  Call call(name);
  if (call.tracked && fails(Failing::streams)) return hipErrorOutOfMemory;
  hipError_t status = forward();
  if (!call.tracked || status != hipSuccess || out == nullptr) return ended(call, status);
  enter(call, {Kind::event, number(*out)});
  Locked lock(ledger().mutex);
  ledger().order.drop_event(number(*out));
  return status;
}

void record_event(const Call& call, hipEvent_t event, hipStream_t stream) {
  current_device(*call.thread);
  Locked lock(ledger().mutex);
  int slot = slot_of(call, stream);
  ledger().order.advance(slot, *call.thread);
  ledger().order.record(number(event), slot);
}

// What a host function needs to be known to run in its place among a stream's work.
struct HostFunction {
  hipHostFn_t function = nullptr;
  hipStreamCallback_t callback = nullptr;
  void* data = nullptr;
  Clock seen;
};

// nullptr: a graph takes the function, and may run it any number of times.
HostFunction* host_function(const Call& call, hipStream_t stream) {
  Locked lock(ledger().mutex);
  int slot = slot_of(call, stream);
  if (!ledger().order.advance(slot, *call.thread)) return nullptr;
  auto* made = new HostFunction;
  made->seen = ledger().order.lane(slot).clock;
  // It may tell the host's other threads that what came before is done.
  end_watches(made->seen);
  return made;
}

void run_function(void* data) {
  auto* task = static_cast<HostFunction*>(data);
  {
    HostFunctionScope scope(&task->seen);
    task->function(task->data);
  }
  delete task;
}

void run_callback(hipStream_t stream, hipError_t status, void* data) {
  auto* task = static_cast<HostFunction*>(data);
  {
    HostFunctionScope scope(&task->seen);
    task->callback(stream, status, task->data);
  }
  delete task;
}

}  // namespace

HIPAUDIT_EXPORT hipError_t hipStreamCreate(hipStream_t* stream) {
  static constinit Below<decltype(hipStreamCreate)> below("hipStreamCreate");
  return make_stream("hipStreamCreate", stream, true, [&] { return below(stream); });
}

HIPAUDIT_EXPORT hipError_t hipStreamCreateWithFlags(hipStream_t* stream, unsigned int flags) {
  static constinit Below<decltype(hipStreamCreateWithFlags)> below("hipStreamCreateWithFlags");
  return make_stream("hipStreamCreateWithFlags", stream, (flags & hipStreamNonBlocking) == 0,
                     [&] { return below(stream, flags); });
}

HIPAUDIT_EXPORT hipError_t hipStreamCreateWithPriority(hipStream_t* stream, unsigned int flags,
                                                       int priority) {
  static constinit Below<decltype(hipStreamCreateWithPriority)> below(
      "hipStreamCreateWithPriority");
  return make_stream("hipStreamCreateWithPriority", stream, (flags & hipStreamNonBlocking) == 0,
                     [&] { return below(stream, flags, priority); });
}

HIPAUDIT_EXPORT hipError_t hipExtStreamCreateWithCUMask(hipStream_t* stream, uint32_t words,
                                                        const uint32_t* mask) {
  static constinit Below<decltype(hipExtStreamCreateWithCUMask)> below(
      "hipExtStreamCreateWithCUMask");
  return make_stream("hipExtStreamCreateWithCUMask", stream, true,
                     [&] { return below(stream, words, mask); });
}

HIPAUDIT_EXPORT hipError_t hipStreamDestroy(hipStream_t stream) {
  static constinit Below<decltype(hipStreamDestroy)> below("hipStreamDestroy");
  Call call("hipStreamDestroy");
  if (!call.tracked || stream == nullptr) return below(stream);
  Waiting waiting = begin_wait(call, stream);
  hipError_t status = end_life(
      {call, number(stream), only(Kind::stream), Kind::stream}, [&] { return below(stream); },
      [&] { return below(nullptr); });
  if (status != hipSuccess) return status;
  // HIP's text: it may wait for what was enqueued, or not.
  Locked lock(ledger().mutex);
  ledger().order.host_waits(waiting.clock);
  ledger().order.drop_stream(number(stream));
  return status;
}

HIPAUDIT_EXPORT hipError_t hipStreamSynchronize(hipStream_t stream) {
  static constinit Below<decltype(hipStreamSynchronize)> below("hipStreamSynchronize");
  Call call("hipStreamSynchronize");
  if (is_over(call, stream)) return refuse_handle();
  return wait_for(call, stream, begin_wait(call, stream), [&] { return below(stream); });
}

HIPAUDIT_EXPORT hipError_t hipStreamQuery(hipStream_t stream) {
  static constinit Below<decltype(hipStreamQuery)> below("hipStreamQuery");
  Call call("hipStreamQuery");
  if (is_over(call, stream)) return refuse_handle();
  return wait_for(call, stream, begin_wait(call, stream), [&] { return below(stream); });
}

HIPAUDIT_EXPORT hipError_t hipDeviceSynchronize() {
  static constinit Below<decltype(hipDeviceSynchronize)> below("hipDeviceSynchronize");
  Call call("hipDeviceSynchronize");
  return wait_for(call, nullptr, begin_wait_for_device(call), [&] { return below(); });
}

HIPAUDIT_EXPORT hipError_t hipCtxSynchronize() {
  static constinit Below<decltype(hipCtxSynchronize)> below("hipCtxSynchronize");
  Call call("hipCtxSynchronize");
  return wait_for(call, nullptr, begin_wait_for_device(call), [&] { return below(); });
}

HIPAUDIT_EXPORT hipError_t hipStreamWaitEvent(hipStream_t stream, hipEvent_t event,
                                              unsigned int flags) {
  static constinit Below<decltype(hipStreamWaitEvent)> below("hipStreamWaitEvent");
  Call call("hipStreamWaitEvent");
  if (is_over(call, stream) || is_over(call, event)) return refuse_handle();
  hipError_t status = below(stream, event, flags);
  if (!call.tracked || status != hipSuccess) return ended(call, status);
  current_device(*call.thread);
  Locked lock(ledger().mutex);
  int slot = slot_of(call, stream);
  ledger().order.wait(slot, number(event));
  return status;
}

HIPAUDIT_EXPORT hipError_t hipLaunchHostFunc(hipStream_t stream, hipHostFn_t function, void* data) {
  static constinit Below<decltype(hipLaunchHostFunc)> below("hipLaunchHostFunc");
  Call call("hipLaunchHostFunc");
  if (is_over(call, stream)) return refuse_handle();
  if (!call.tracked || function == nullptr) return below(stream, function, data);
  HostFunction* task = host_function(call, stream);
  if (task == nullptr) return below(stream, function, data);
  task->function = function;
  task->data = data;
  hipError_t status = below(stream, run_function, task);
  if (status != hipSuccess) delete task;
  return ended(call, status);
}

HIPAUDIT_EXPORT hipError_t hipStreamAddCallback(hipStream_t stream, hipStreamCallback_t callback,
                                                void* data, unsigned int flags) {
  static constinit Below<decltype(hipStreamAddCallback)> below("hipStreamAddCallback");
  Call call("hipStreamAddCallback");
  if (is_over(call, stream)) return refuse_handle();
  if (!call.tracked || callback == nullptr) return below(stream, callback, data, flags);
  HostFunction* task = host_function(call, stream);
  if (task == nullptr) return below(stream, callback, data, flags);
  task->callback = callback;
  task->data = data;
  hipError_t status = below(stream, run_callback, task, flags);
  if (status != hipSuccess) delete task;
  return ended(call, status);
}

HIPAUDIT_EXPORT hipError_t hipEventCreate(hipEvent_t* event) {
  static constinit Below<decltype(hipEventCreate)> below("hipEventCreate");
  return make_event("hipEventCreate", event, [&] { return below(event); });
}

HIPAUDIT_EXPORT hipError_t hipEventCreateWithFlags(hipEvent_t* event, unsigned int flags) {
  static constinit Below<decltype(hipEventCreateWithFlags)> below("hipEventCreateWithFlags");
  return make_event("hipEventCreateWithFlags", event, [&] { return below(event, flags); });
}

HIPAUDIT_EXPORT hipError_t hipEventDestroy(hipEvent_t event) {
  static constinit Below<decltype(hipEventDestroy)> below("hipEventDestroy");
  Call call("hipEventDestroy");
  if (!call.tracked || event == nullptr) return below(event);
  auto refuse_destroyed = [&] {
    below(nullptr);
    return hipErrorContextIsDestroyed;
  };
  return end_life(
      {call, number(event), only(Kind::event), Kind::event}, [&] { return below(event); },
      refuse_destroyed);
}

HIPAUDIT_EXPORT hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream) {
  static constinit Below<decltype(hipEventRecord)> below("hipEventRecord");
  Call call("hipEventRecord");
  if (is_over(call, stream) || is_over(call, event)) return refuse_handle();
  hipError_t status = below(event, stream);
  if (call.tracked && status == hipSuccess) record_event(call, event, stream);
  return ended(call, status);
}

HIPAUDIT_EXPORT hipError_t hipEventRecordWithFlags(hipEvent_t event, hipStream_t stream,
                                                   unsigned int flags) {
  static constinit Below<decltype(hipEventRecordWithFlags)> below("hipEventRecordWithFlags");
  Call call("hipEventRecordWithFlags");
  if (is_over(call, stream) || is_over(call, event)) return refuse_handle();
  hipError_t status = below(event, stream, flags);
  if (call.tracked && status == hipSuccess) record_event(call, event, stream);
  return ended(call, status);
}

HIPAUDIT_EXPORT hipError_t hipEventQuery(hipEvent_t event) {
  static constinit Below<decltype(hipEventQuery)> below("hipEventQuery");
  Call call("hipEventQuery");
  if (is_over(call, event)) return refuse_handle();
  return wait_for(call, nullptr, begin_wait_for_event(call, event), [&] { return below(event); });
}

HIPAUDIT_EXPORT hipError_t hipEventSynchronize(hipEvent_t event) {
  static constinit Below<decltype(hipEventSynchronize)> below("hipEventSynchronize");
  Call call("hipEventSynchronize");
  if (is_over(call, event)) return refuse_handle();
  return wait_for(call, nullptr, begin_wait_for_event(call, event), [&] { return below(event); });
}

}  // namespace hipaudit::ledger
