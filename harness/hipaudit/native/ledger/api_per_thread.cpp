// The forms that programs call which were compiled for a default stream of each thread: what they
// leave to the null stream is that thread's own.
#include "../device/export.h"
#include "below.h"
#include "copies.h"
#include "launches.h"
#include "waits.h"

namespace hipaudit::ledger {
namespace {

hipStream_t own(hipStream_t stream) { return stream != nullptr ? stream : hipStreamPerThread; }

Copy plain(void* to, const void* from, uint64_t bytes, hipMemcpyKind kind, hipStream_t stream,
           bool async) {
  Copy copy;
  copy.destination = line(to, bytes);
  copy.source = line(from, bytes);
  copy.bytes = bytes;
  copy.kind = kind;
  copy.stream = own(stream);
  copy.async = async;
  copy.fill = from == nullptr;
  return copy;
}

}  // namespace

HIPAUDIT_EXPORT hipError_t hipStreamSynchronize_spt(hipStream_t stream) {
  static constinit Below<hipError_t(hipStream_t)> below("hipStreamSynchronize_spt");
  Call call("hipStreamSynchronize_spt");
  return wait_for(call, own(stream), begin_wait(call, own(stream)), [&] { return below(stream); });
}

HIPAUDIT_EXPORT hipError_t hipStreamQuery_spt(hipStream_t stream) {
  static constinit Below<hipError_t(hipStream_t)> below("hipStreamQuery_spt");
  Call call("hipStreamQuery_spt");
  return wait_for(call, own(stream), begin_wait(call, own(stream)), [&] { return below(stream); });
}

HIPAUDIT_EXPORT hipError_t hipStreamWaitEvent_spt(hipStream_t stream, hipEvent_t event,
                                                  unsigned int flags) {
  static constinit Below<decltype(hipStreamWaitEvent)> below("hipStreamWaitEvent_spt");
  Call call("hipStreamWaitEvent_spt");
  hipError_t status = below(stream, event, flags);
  if (!call.tracked || status != hipSuccess) return status;
  Locked lock(ledger().mutex);
  ledger().order.wait(slot_of(call, own(stream)), reinterpret_cast<uintptr_t>(event));
  return status;
}

HIPAUDIT_EXPORT hipError_t hipEventRecord_spt(hipEvent_t event, hipStream_t stream) {
  static constinit Below<decltype(hipEventRecord)> below("hipEventRecord_spt");
  Call call("hipEventRecord_spt");
  hipError_t status = below(event, stream);
  if (!call.tracked || status != hipSuccess) return status;
  Locked lock(ledger().mutex);
  int slot = slot_of(call, own(stream));
  ledger().order.advance(slot, *call.thread);
  ledger().order.record(reinterpret_cast<uintptr_t>(event), slot);
  return status;
}

HIPAUDIT_EXPORT hipError_t hipMemcpy_spt(void* to, const void* from, size_t bytes,
                                         hipMemcpyKind kind) {
  static constinit Below<decltype(hipMemcpy)> below("hipMemcpy_spt");
  return run_copy("hipMemcpy_spt", plain(to, from, bytes, kind, nullptr, false),
                  [&] { return below(to, from, bytes, kind); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyAsync_spt(void* to, const void* from, size_t bytes,
                                              hipMemcpyKind kind, hipStream_t stream) {
  static constinit Below<decltype(hipMemcpyAsync)> below("hipMemcpyAsync_spt");
  return run_copy("hipMemcpyAsync_spt", plain(to, from, bytes, kind, stream, true),
                  [&] { return below(to, from, bytes, kind, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemset_spt(void* to, int value, size_t bytes) {
  static constinit Below<decltype(hipMemset)> below("hipMemset_spt");
  return run_copy("hipMemset_spt", plain(to, nullptr, bytes, hipMemcpyDefault, nullptr, false),
                  [&] { return below(to, value, bytes); });
}

HIPAUDIT_EXPORT hipError_t hipMemsetAsync_spt(void* to, int value, size_t bytes,
                                              hipStream_t stream) {
  static constinit Below<decltype(hipMemsetAsync)> below("hipMemsetAsync_spt");
  return run_copy("hipMemsetAsync_spt", plain(to, nullptr, bytes, hipMemcpyDefault, stream, true),
                  [&] { return below(to, value, bytes, stream); });
}

HIPAUDIT_EXPORT hipError_t hipLaunchKernel_spt(const void* function, dim3 grid, dim3 block,
                                               void** parameters, size_t shared,
                                               hipStream_t stream) {
  static constinit Below<decltype(hipLaunchKernel)> below("hipLaunchKernel_spt");
  return run_launch("hipLaunchKernel_spt", {function, own(stream), parameters, nullptr},
                    [&] { return below(function, grid, block, parameters, shared, stream); });
}

}  // namespace hipaudit::ledger
