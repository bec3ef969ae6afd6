// Calls that matter for the order alone: copies of arrays and of variables, waits by another name,
// and waits for values in memory.
#include "../device/export.h"
#include "below.h"
#include "copies.h"
#include "handles.h"
#include "options.h"
#include "waits.h"

namespace hipaudit::ledger {
namespace {

constexpr Side kArray{nullptr, 0, 0, true};

// A copy with an array, or a variable that its host symbol names, on one side.
Copy with_array(const void* to, const void* from, uint64_t bytes) {
  Copy copy;
  copy.destination = to != nullptr ? line(to, bytes) : kArray;
  copy.source = from != nullptr ? line(from, bytes) : kArray;
  copy.bytes = bytes;
  return copy;
}

Copy with_array(const void* to, const void* from, uint64_t pitch, uint64_t width, uint64_t height) {
  hipExtent extent{width, height, 1};
  Copy copy;
  copy.destination = to != nullptr ? box(to, pitch, 0, extent) : kArray;
  copy.source = from != nullptr ? box(from, pitch, 0, extent) : kArray;
  copy.bytes = width * height;
  return copy;
}

Copy in(hipStream_t stream, Copy copy) {
  copy.async = true;
  copy.stream = stream;
  return copy;
}

// Which writes a value waits for is not known: it is taken to come after all that was enqueued.
void wait_for_everything(const Call& call, hipStream_t stream) {
  if (!call.tracked) return;
  int device = current_device(*call.thread);
  Locked lock(ledger().mutex);
  int slot = slot_of(call, stream);
  ledger().order.wait(slot, ledger().order.pending_on(device));
}

}  // namespace

HIPAUDIT_EXPORT hipError_t hipMemcpyToSymbol(const void* symbol, const void* from, size_t bytes,
                                             size_t offset, hipMemcpyKind kind) {
  static constinit Below<decltype(hipMemcpyToSymbol)> below("hipMemcpyToSymbol");
  return run_copy("hipMemcpyToSymbol", with_array(nullptr, from, bytes),
                  [&] { return below(symbol, from, bytes, offset, kind); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyFromSymbol(void* to, const void* symbol, size_t bytes,
                                               size_t offset, hipMemcpyKind kind) {
  static constinit Below<decltype(hipMemcpyFromSymbol)> below("hipMemcpyFromSymbol");
  return run_copy("hipMemcpyFromSymbol", with_array(to, nullptr, bytes),
                  [&] { return below(to, symbol, bytes, offset, kind); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyToSymbolAsync(const void* symbol, const void* from,
                                                  size_t bytes, size_t offset, hipMemcpyKind kind,
                                                  hipStream_t stream) {
  static constinit Below<decltype(hipMemcpyToSymbolAsync)> below("hipMemcpyToSymbolAsync");
  return run_copy("hipMemcpyToSymbolAsync", in(stream, with_array(nullptr, from, bytes)),
                  [&] { return below(symbol, from, bytes, offset, kind, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyFromSymbolAsync(void* to, const void* symbol, size_t bytes,
                                                    size_t offset, hipMemcpyKind kind,
                                                    hipStream_t stream) {
  static constinit Below<decltype(hipMemcpyFromSymbolAsync)> below("hipMemcpyFromSymbolAsync");
  return run_copy("hipMemcpyFromSymbolAsync", in(stream, with_array(to, nullptr, bytes)),
                  [&] { return below(to, symbol, bytes, offset, kind, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyToArray(hipArray_t array, size_t x, size_t y, const void* from,
                                            size_t bytes, hipMemcpyKind kind) {
  static constinit Below<decltype(hipMemcpyToArray)> below("hipMemcpyToArray");
  return run_copy("hipMemcpyToArray", with_array(nullptr, from, bytes),
                  [&] { return below(array, x, y, from, bytes, kind); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyFromArray(void* to, hipArray_const_t array, size_t x, size_t y,
                                              size_t bytes, hipMemcpyKind kind) {
  static constinit Below<decltype(hipMemcpyFromArray)> below("hipMemcpyFromArray");
  return run_copy("hipMemcpyFromArray", with_array(to, nullptr, bytes),
                  [&] { return below(to, array, x, y, bytes, kind); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpy2DToArray(hipArray_t array, size_t x, size_t y,
                                              const void* from, size_t pitch, size_t width,
                                              size_t height, hipMemcpyKind kind) {
  static constinit Below<decltype(hipMemcpy2DToArray)> below("hipMemcpy2DToArray");
  return run_copy("hipMemcpy2DToArray", with_array(nullptr, from, pitch, width, height),
                  [&] { return below(array, x, y, from, pitch, width, height, kind); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpy2DFromArray(void* to, size_t pitch, hipArray_const_t array,
                                                size_t x, size_t y, size_t width, size_t height,
                                                hipMemcpyKind kind) {
  static constinit Below<decltype(hipMemcpy2DFromArray)> below("hipMemcpy2DFromArray");
  return run_copy("hipMemcpy2DFromArray", with_array(to, nullptr, pitch, width, height),
                  [&] { return below(to, pitch, array, x, y, width, height, kind); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpy2DToArrayAsync(hipArray_t array, size_t x, size_t y,
                                                   const void* from, size_t pitch, size_t width,
                                                   size_t height, hipMemcpyKind kind,
                                                   hipStream_t stream) {
  static constinit Below<decltype(hipMemcpy2DToArrayAsync)> below("hipMemcpy2DToArrayAsync");
  return run_copy("hipMemcpy2DToArrayAsync",
                  in(stream, with_array(nullptr, from, pitch, width, height)),
                  [&] { return below(array, x, y, from, pitch, width, height, kind, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpy2DFromArrayAsync(void* to, size_t pitch, hipArray_const_t array,
                                                     size_t x, size_t y, size_t width,
                                                     size_t height, hipMemcpyKind kind,
                                                     hipStream_t stream) {
  static constinit Below<decltype(hipMemcpy2DFromArrayAsync)> below("hipMemcpy2DFromArrayAsync");
  return run_copy("hipMemcpy2DFromArrayAsync",
                  in(stream, with_array(to, nullptr, pitch, width, height)),
                  [&] { return below(to, pitch, array, x, y, width, height, kind, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyAtoH(void* to, hipArray_t array, size_t offset, size_t bytes) {
  static constinit Below<decltype(hipMemcpyAtoH)> below("hipMemcpyAtoH");
  return run_copy("hipMemcpyAtoH", with_array(to, nullptr, bytes),
                  [&] { return below(to, array, offset, bytes); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyHtoA(hipArray_t array, size_t offset, const void* from,
                                         size_t bytes) {
  static constinit Below<decltype(hipMemcpyHtoA)> below("hipMemcpyHtoA");
  return run_copy("hipMemcpyHtoA", with_array(nullptr, from, bytes),
                  [&] { return below(array, offset, from, bytes); });
}

// It has an answer only when both events have come.
HIPAUDIT_EXPORT hipError_t hipEventElapsedTime(float* ms, hipEvent_t start, hipEvent_t stop) {
  static constinit Below<decltype(hipEventElapsedTime)> below("hipEventElapsedTime");
  Call call("hipEventElapsedTime");
  if (is_over(call, start) || is_over(call, stop)) return refuse_handle();
  hipError_t status = below(ms, start, stop);
  if (!call.tracked || status != hipSuccess) return ended(call, status);
  Locked lock(ledger().mutex);
  for (hipEvent_t event : {start, stop})
    ledger().order.host_waits(ledger().order.event(reinterpret_cast<uintptr_t>(event)).clock);
  return status;
}

HIPAUDIT_EXPORT hipError_t hipStreamWaitValue32(hipStream_t stream, void* place, unsigned int value,
                                                unsigned int flags, unsigned int mask) {
  static constinit Below<decltype(hipStreamWaitValue32)> below("hipStreamWaitValue32");
  Call call("hipStreamWaitValue32");
  hipError_t status = below(stream, place, value, flags, mask);
  if (status == hipSuccess) wait_for_everything(call, stream);
  return ended(call, status);
}

HIPAUDIT_EXPORT hipError_t hipStreamWaitValue64(hipStream_t stream, void* place, size_t value,
                                                unsigned int flags, size_t mask) {
  static constinit Below<decltype(hipStreamWaitValue64)> below("hipStreamWaitValue64");
  Call call("hipStreamWaitValue64");
  hipError_t status = below(stream, place, value, flags, mask);
  if (status == hipSuccess) wait_for_everything(call, stream);
  return ended(call, status);
}

HIPAUDIT_EXPORT hipError_t hipStreamBatchMemOp(hipStream_t stream, unsigned int count,
                                               hipStreamBatchMemOpParams* list,
                                               unsigned int flags) {
  static constinit Below<decltype(hipStreamBatchMemOp)> below("hipStreamBatchMemOp");
  Call call("hipStreamBatchMemOp");
  hipError_t status = below(stream, count, list, flags);
  if (status == hipSuccess) wait_for_everything(call, stream);
  return ended(call, status);
}

}  // namespace hipaudit::ledger
