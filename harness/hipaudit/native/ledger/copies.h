// Copies and fills: who they use, what they move, and whether they wait.
#pragma once

#include "errors.h"
#include "handles.h"
#include "ledger.h"
#include "watch.h"

namespace hipaudit::ledger {

// One side of a copy. Of a box with gaps between its rows only the first row is certain to be used.
struct Side {
  const void* start = nullptr;
  uint64_t certain = 0;  // bytes from the start
  uint64_t span = 0;     // bytes from the start to the end of the last row
  bool array = false;    // it is an array, whose memory has no address
};

struct Copy {
  Side destination;
  Side source;
  uint64_t bytes = 0;
  bool fill = false;  // there is no source
  bool async = false;
  bool returns_early = false;  // a copy within the device's memory is not waited for
  hipStream_t stream = nullptr;
  hipMemcpyKind kind = hipMemcpyDefault;
};

// The device is about to use one side of a copy.
inline void lift_watches(uint32_t thread, const Side& side, bool write) {
  auto begin = reinterpret_cast<uintptr_t>(side.start);
  if (begin != 0) lift_watches(thread, begin, begin + side.span, write);
}

inline Side line(const void* start, uint64_t bytes) { return {start, bytes, bytes, false}; }
Side box(const void* start, uint64_t pitch, uint64_t slice, const hipExtent& extent);

// Says so when memory is used that an allocation failed to give.
void check_null(const Call& call, const Copy& copy);

// False when the copy must not go on to the device: what is wrong was reported.
bool check_copy(const Call& call, const Copy& copy);

// The copy was accepted by the device.
void note_copy(const Call& call, const Copy& copy);

template <typename Forward>
hipError_t run_copy(const char* name, const Copy& copy, Forward forward) {
  Call call(name);
  if (!call.tracked || copy.bytes == 0) return forward();
  current_device(*call.thread);
  if (is_over(call, copy.stream)) return refuse_handle();
  check_null(call, copy);
  if (!check_copy(call, copy)) return refuse();
  if (fails(Failing::copies)) return ended(call, hipErrorOutOfMemory);
  lift_watches(call.thread->id, copy.destination, true);
  lift_watches(call.thread->id, copy.source, false);
  hipError_t status = forward();
  if (status == hipSuccess) note_copy(call, copy);
  return ended(call, status);
}

}  // namespace hipaudit::ledger
