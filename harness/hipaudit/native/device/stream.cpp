#include "stream.h"

#include <pthread.h>

#include <atomic>
#include <map>

#include "../include/hip/hip_runtime_api.h"
#include "error.h"
#include "export.h"
#include "profile.h"
#include "sync.h"

extern "C" int __register_atfork(void (*prepare)(), void (*parent)(), void (*child)(), void* dso);
extern "C" void* __dso_handle;

struct ihipStream_t {
  unsigned long long id;
  unsigned int flags;
  int priority;
  hipaudit::Mutex turn;
};

namespace hipaudit {
namespace {

constexpr int kLowPriority = 1;
constexpr int kHighPriority = -1;

Mutex mutex;
unsigned long long last_id = 1;  // 1 is the null stream's
std::atomic<hipError_t> async_error{hipSuccess};

// The null stream holds it alone, blocking streams together.
pthread_rwlock_t legacy_order = PTHREAD_RWLOCK_INITIALIZER;

// Every live stream by its handle; never destroyed, programs destroy streams from exit handlers.
using Streams = std::map<hipStream_t, ihipStream_t*>;
Streams* const streams = new Streams;

bool is_legacy(hipStream_t stream) { return stream == nullptr || stream == hipStreamLegacy; }
bool is_implicit(hipStream_t stream) { return is_legacy(stream) || stream == hipStreamPerThread; }

ihipStream_t* find(hipStream_t stream) {
  Locked lock(mutex);
  auto found = streams->find(stream);
  return found != streams->end() ? found->second : nullptr;
}

hipError_t create(hipStream_t* out, unsigned int flags, int priority) {
  if (out == nullptr || (flags != hipStreamDefault && flags != hipStreamNonBlocking))
    return hipErrorInvalidValue;
  if (priority < kHighPriority) priority = kHighPriority;
  if (priority > kLowPriority) priority = kLowPriority;
  Locked lock(mutex);
  auto* made = new ihipStream_t{++last_id, flags, priority, {}};
  (*streams)[made] = made;
  *out = made;
  return hipSuccess;
}

void lock_for_fork() { mutex.lock(); }
void unlock_in_parent() { mutex.unlock(); }

// The threads that held a stream's turn are not there any more.
void renew_in_child() {
  legacy_order = PTHREAD_RWLOCK_INITIALIZER;
  for (auto& [handle, stream] : *streams) stream->turn = Mutex();
  mutex.unlock();
}

__attribute__((constructor)) void watch_forks() {
  __register_atfork(lock_for_fork, unlock_in_parent, renew_in_child, &__dso_handle);
}

// A synchronising call: everything has run by now, what is left is to say how it ended.
hipError_t finish(hipStream_t stream) {
  if (!valid_stream(stream)) return hipErrorInvalidHandle;
  {
    StreamTurn turn(stream);
  }
  return take_async_error();
}

}  // namespace

bool valid_stream(hipStream_t stream) { return is_implicit(stream) || find(stream) != nullptr; }

StreamTurn::StreamTurn(hipStream_t stream) : stream_(stream), blocking_(true) {
  if (is_legacy(stream)) {
    pthread_rwlock_wrlock(&legacy_order);
    return;
  }
  ihipStream_t* own = is_implicit(stream) ? nullptr : stream;
  blocking_ = own == nullptr || own->flags != hipStreamNonBlocking;
  if (blocking_) pthread_rwlock_rdlock(&legacy_order);
  if (own != nullptr) own->turn.lock();
}

StreamTurn::~StreamTurn() {
  if (!is_implicit(stream_)) stream_->turn.unlock();
  if (blocking_) pthread_rwlock_unlock(&legacy_order);
}

void destroy_streams() {
  Locked lock(mutex);
  for (auto& [handle, stream] : *streams) delete stream;
  streams->clear();
}

void set_async_error(hipError_t error) {
  hipError_t none = hipSuccess;
  async_error.compare_exchange_strong(none, error);
}

hipError_t take_async_error() { return async_error.exchange(hipSuccess); }

}  // namespace hipaudit

using hipaudit::set_error;

HIPAUDIT_EXPORT hipError_t hipStreamCreate(hipStream_t* stream) {
  return set_error(hipaudit::create(stream, hipStreamDefault, 0));
}

HIPAUDIT_EXPORT hipError_t hipStreamCreateWithFlags(hipStream_t* stream, unsigned int flags) {
  return set_error(hipaudit::create(stream, flags, 0));
}

HIPAUDIT_EXPORT hipError_t hipStreamCreateWithPriority(hipStream_t* stream, unsigned int flags,
                                                       int priority) {
  return set_error(hipaudit::create(stream, flags, priority));
}

HIPAUDIT_EXPORT hipError_t hipDeviceGetStreamPriorityRange(int* least, int* greatest) {
  if (least != nullptr) *least = hipaudit::kLowPriority;
  if (greatest != nullptr) *greatest = hipaudit::kHighPriority;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipStreamDestroy(hipStream_t stream) {
  if (hipaudit::is_implicit(stream)) return set_error(hipErrorInvalidHandle);
  {
    hipaudit::Locked lock(hipaudit::mutex);
    if (hipaudit::streams->erase(stream) == 0) return set_error(hipErrorInvalidHandle);
  }
  stream->turn.lock();  // the operation that another thread runs on it comes to its end
  stream->turn.unlock();
  delete stream;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipStreamSynchronize(hipStream_t stream) {
  return set_error(hipaudit::finish(stream));
}

HIPAUDIT_EXPORT hipError_t hipStreamQuery(hipStream_t stream) {
  if (!hipaudit::valid_stream(stream)) return set_error(hipErrorInvalidHandle);
  return set_error(hipaudit::take_async_error());
}

HIPAUDIT_EXPORT hipError_t hipStreamGetFlags(hipStream_t stream, unsigned int* flags) {
  if (flags == nullptr) return set_error(hipErrorInvalidValue);
  if (!hipaudit::valid_stream(stream)) return set_error(hipErrorInvalidHandle);
  *flags = hipaudit::is_implicit(stream) ? hipStreamDefault : stream->flags;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipStreamGetPriority(hipStream_t stream, int* priority) {
  if (priority == nullptr) return set_error(hipErrorInvalidValue);
  if (!hipaudit::valid_stream(stream)) return set_error(hipErrorInvalidHandle);
  *priority = hipaudit::is_implicit(stream) ? 0 : stream->priority;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipStreamGetDevice(hipStream_t stream, hipDevice_t* device) {
  if (device == nullptr) return set_error(hipErrorInvalidValue);
  if (!hipaudit::valid_stream(stream)) return set_error(hipErrorInvalidHandle);
  *device = 0;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT int hipGetStreamDeviceId(hipStream_t stream) {
  return hipaudit::valid_stream(stream) ? 0 : -1;
}

HIPAUDIT_EXPORT hipError_t hipStreamGetId(hipStream_t stream, unsigned long long* id) {
  if (id == nullptr) return set_error(hipErrorInvalidValue);
  if (!hipaudit::valid_stream(stream)) return set_error(hipErrorInvalidHandle);
  *id = hipaudit::is_implicit(stream) ? 1 : stream->id;
  return set_error(hipSuccess);
}

// Host functions run in their place among the stream's work, on the enqueuing thread. They run
// without the stream's turn: one that calls HIP, though it must not, then fails by its own doing.
HIPAUDIT_EXPORT hipError_t hipStreamAddCallback(hipStream_t stream, hipStreamCallback_t callback,
                                                void* user_data, unsigned int flags) {
  if (callback == nullptr || flags != 0) return set_error(hipErrorInvalidValue);
  if (!hipaudit::valid_stream(stream)) return set_error(hipErrorInvalidHandle);
  {
    hipaudit::StreamTurn turn(stream);
  }
  callback(stream, hipSuccess, user_data);
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipLaunchHostFunc(hipStream_t stream, hipHostFn_t function,
                                             void* user_data) {
  if (function == nullptr) return set_error(hipErrorInvalidValue);
  if (!hipaudit::valid_stream(stream)) return set_error(hipErrorInvalidHandle);
  {
    hipaudit::StreamTurn turn(stream);
  }
  function(user_data);
  return set_error(hipSuccess);
}

// Capture into graphs is not emulated, so no stream ever captures.
HIPAUDIT_EXPORT hipError_t hipStreamIsCapturing(hipStream_t stream,
                                                hipStreamCaptureStatus* status) {
  if (status == nullptr) return set_error(hipErrorInvalidValue);
  if (!hipaudit::valid_stream(stream)) return set_error(hipErrorInvalidHandle);
  *status = hipStreamCaptureStatusNone;
  return set_error(hipSuccess);
}
