// Events: a record is a point in time, since the work before it has run by then.
#include <time.h>

#include <map>

#include "../include/hip/hip_runtime_api.h"
#include "error.h"
#include "export.h"
#include "stream.h"
#include "sync.h"

struct ihipEvent_t {
  unsigned int flags;
  bool recorded;
  int64_t time_ns;
};

namespace hipaudit {
namespace {

constexpr unsigned int kReleaseFlags =
    hipEventReleaseToDevice | hipEventReleaseToSystem | hipEventDisableSystemFence;
constexpr unsigned int kKnownFlags =
    hipEventBlockingSync | hipEventDisableTiming | hipEventInterprocess | kReleaseFlags;

Mutex mutex;
int64_t last_time_ns = 0;

// Every live event by its handle; never destroyed, programs destroy events from exit handlers.
using Events = std::map<hipEvent_t, ihipEvent_t*>;
Events* const events = new Events;

// With the lock held. Two records are never at the same time.
int64_t next_time_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t time_ns = now.tv_sec * int64_t{1000000000} + now.tv_nsec;
  last_time_ns = time_ns > last_time_ns ? time_ns : last_time_ns + 1;
  return last_time_ns;
}

bool valid_flags(unsigned int flags) {
  if ((flags & ~kKnownFlags) != 0) return false;
  if (__builtin_popcount(flags & kReleaseFlags) > 1) return false;
  return (flags & hipEventInterprocess) == 0 || (flags & hipEventDisableTiming) != 0;
}

hipError_t create(hipEvent_t* out, unsigned int flags) {
  if (out == nullptr || !valid_flags(flags)) return hipErrorInvalidValue;
  Locked lock(mutex);
  auto* made = new ihipEvent_t{flags, false, 0};
  (*events)[made] = made;
  *out = made;
  return hipSuccess;
}

// With the lock held.
ihipEvent_t* find(hipEvent_t event) {
  auto found = events->find(event);
  return found != events->end() ? found->second : nullptr;
}

bool valid_event(hipEvent_t event) {
  Locked lock(mutex);
  return find(event) != nullptr;
}

hipError_t record(hipEvent_t event, hipStream_t stream) {
  if (!valid_stream(stream)) return hipErrorInvalidHandle;
  StreamTurn turn(stream);
  Locked lock(mutex);
  ihipEvent_t* found = find(event);
  if (found == nullptr) return hipErrorInvalidHandle;
  found->recorded = true;
  found->time_ns = next_time_ns();
  return hipSuccess;
}

hipError_t elapsed(float* ms, hipEvent_t start, hipEvent_t stop) {
  if (ms == nullptr) return hipErrorInvalidValue;
  Locked lock(mutex);
  const ihipEvent_t* from = find(start);
  const ihipEvent_t* to = find(stop);
  if (from == nullptr || to == nullptr || !from->recorded || !to->recorded)
    return hipErrorInvalidHandle;
  if (((from->flags | to->flags) & hipEventDisableTiming) != 0) return hipErrorInvalidHandle;
  *ms = static_cast<float>(static_cast<double>(to->time_ns - from->time_ns) * 1e-6);
  return hipSuccess;
}

}  // namespace

void destroy_events() {
  Locked lock(mutex);
  for (auto& [handle, event] : *events) delete event;
  events->clear();
}

}  // namespace hipaudit

using hipaudit::set_error;

HIPAUDIT_EXPORT hipError_t hipEventCreate(hipEvent_t* event) {
  return set_error(hipaudit::create(event, hipEventDefault));
}

HIPAUDIT_EXPORT hipError_t hipEventCreateWithFlags(hipEvent_t* event, unsigned int flags) {
  return set_error(hipaudit::create(event, flags));
}

HIPAUDIT_EXPORT hipError_t hipEventDestroy(hipEvent_t event) {
  if (event == nullptr) return set_error(hipErrorInvalidHandle);
  hipaudit::Locked lock(hipaudit::mutex);
  if (hipaudit::events->erase(event) == 0) return set_error(hipErrorContextIsDestroyed);
  delete event;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream) {
  return set_error(hipaudit::record(event, stream));
}

HIPAUDIT_EXPORT hipError_t hipEventRecordWithFlags(hipEvent_t event, hipStream_t stream,
                                                   unsigned int flags) {
  if (flags != hipEventRecordDefault) return set_error(hipErrorInvalidValue);
  return set_error(hipaudit::record(event, stream));
}

HIPAUDIT_EXPORT hipError_t hipEventQuery(hipEvent_t event) {
  if (!hipaudit::valid_event(event)) return set_error(hipErrorInvalidHandle);
  return set_error(hipaudit::take_async_error());
}

HIPAUDIT_EXPORT hipError_t hipEventSynchronize(hipEvent_t event) {
  if (!hipaudit::valid_event(event)) return set_error(hipErrorInvalidHandle);
  return set_error(hipaudit::take_async_error());
}

HIPAUDIT_EXPORT hipError_t hipEventElapsedTime(float* ms, hipEvent_t start, hipEvent_t stop) {
  return set_error(hipaudit::elapsed(ms, start, stop));
}

// The event's work has run already, so there is nothing to wait for.
HIPAUDIT_EXPORT hipError_t hipStreamWaitEvent(hipStream_t stream, hipEvent_t event,
                                              unsigned int flags) {
  if (flags != hipEventWaitDefault && flags != hipEventWaitExternal)
    return set_error(hipErrorInvalidValue);
  if (!hipaudit::valid_event(event) || !hipaudit::valid_stream(stream))
    return set_error(hipErrorInvalidHandle);
  return set_error(hipSuccess);
}
