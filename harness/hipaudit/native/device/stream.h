// Streams and events. Work runs when it is enqueued, on the thread that enqueues it; what is kept
// is which handles exist, and that operations of one stream do not overlap when threads share it.
#pragma once

#include <cstdint>

#include "../include/hipaudit/api_error.h"
#include "../include/hipaudit/api_types.h"

namespace hipaudit {

// True for the null stream, the legacy and the per-thread one, and every stream that lives.
bool valid_stream(hipStream_t stream);

// Holds a stream for the length of one operation: another thread's operation on it waits. The null
// stream waits for every blocking stream and they for it; non-blocking streams go their own way.
class StreamTurn {
 public:
  explicit StreamTurn(hipStream_t stream);
  ~StreamTurn();
  StreamTurn(const StreamTurn&) = delete;
  StreamTurn& operator=(const StreamTurn&) = delete;

 private:
  hipStream_t stream_;
  bool blocking_;
};

// Forgets every stream and event, as hipDeviceReset does.
void destroy_streams();
void destroy_events();

// An error of work that the host was told is enqueued; the next synchronising call returns it.
void set_async_error(hipError_t error);
hipError_t take_async_error();

}  // namespace hipaudit
