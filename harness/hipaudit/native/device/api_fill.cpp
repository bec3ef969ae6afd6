// Fills: hipMemset and its relatives. D16 and D32 count elements, not bytes.
#include "../include/hip/hip_runtime_api.h"
#include "copy.h"
#include "error.h"
#include "export.h"

namespace hipaudit {
namespace {

struct Target {
  const char* call;
  hipStream_t stream = nullptr;
  bool synchronous = true;
};

hipError_t fill(const Target& target, const Layout& layout, const BoxSize& size, uint32_t value,
                size_t element_bytes) {
  Fill request;
  request.call = target.call;
  request.destination = layout;
  request.size = size;
  request.value = value;
  request.element_bytes = element_bytes;
  request.stream = target.stream;
  request.synchronous = target.synchronous;
  return set_error(run_fill(request));
}

hipError_t fill_line(const Target& target, void* start, uint32_t value, size_t count,
                     size_t element_bytes) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, element_bytes, &bytes)) return set_error(hipErrorInvalidValue);
  return fill(target, {reinterpret_cast<uintptr_t>(start), 0, 0}, {bytes, 1, 1}, value,
              element_bytes);
}

hipError_t fill_rectangle(const Target& target, void* start, size_t pitch, uint32_t value,
                          size_t width, size_t height, size_t element_bytes) {
  Layout layout = {reinterpret_cast<uintptr_t>(start), pitch, 0};
  return fill(target, layout, {width * element_bytes, height, 1}, value, element_bytes);
}

hipError_t fill_box(const Target& target, const hipPitchedPtr& pitched, int value,
                    const hipExtent& extent) {
  Layout layout = {reinterpret_cast<uintptr_t>(pitched.ptr), pitched.pitch,
                   pitched.pitch * pitched.ysize};
  return fill(target, layout, {extent.width, extent.height, extent.depth},
              static_cast<uint32_t>(value), 1);
}

}  // namespace
}  // namespace hipaudit

using hipaudit::fill_box;
using hipaudit::fill_line;
using hipaudit::fill_rectangle;

HIPAUDIT_EXPORT hipError_t hipMemset(void* start, int value, size_t bytes) {
  return fill_line({"hipMemset"}, start, static_cast<uint32_t>(value), bytes, 1);
}

HIPAUDIT_EXPORT hipError_t hipMemsetAsync(void* start, int value, size_t bytes,
                                          hipStream_t stream) {
  return fill_line({"hipMemsetAsync", stream, false}, start, static_cast<uint32_t>(value), bytes,
                   1);
}

HIPAUDIT_EXPORT hipError_t hipMemsetD8(hipDeviceptr_t start, unsigned char value, size_t count) {
  return fill_line({"hipMemsetD8"}, start, value, count, 1);
}

HIPAUDIT_EXPORT hipError_t hipMemsetD8Async(hipDeviceptr_t start, unsigned char value, size_t count,
                                            hipStream_t stream) {
  return fill_line({"hipMemsetD8Async", stream, false}, start, value, count, 1);
}

HIPAUDIT_EXPORT hipError_t hipMemsetD16(hipDeviceptr_t start, unsigned short value, size_t count) {
  return fill_line({"hipMemsetD16"}, start, value, count, 2);
}

HIPAUDIT_EXPORT hipError_t hipMemsetD16Async(hipDeviceptr_t start, unsigned short value,
                                             size_t count, hipStream_t stream) {
  return fill_line({"hipMemsetD16Async", stream, false}, start, value, count, 2);
}

HIPAUDIT_EXPORT hipError_t hipMemsetD32(hipDeviceptr_t start, int value, size_t count) {
  return fill_line({"hipMemsetD32"}, start, static_cast<uint32_t>(value), count, 4);
}

HIPAUDIT_EXPORT hipError_t hipMemsetD32Async(hipDeviceptr_t start, int value, size_t count,
                                             hipStream_t stream) {
  return fill_line({"hipMemsetD32Async", stream, false}, start, static_cast<uint32_t>(value), count,
                   4);
}

HIPAUDIT_EXPORT hipError_t hipMemset2D(void* start, size_t pitch, int value, size_t width,
                                       size_t height) {
  return fill_rectangle({"hipMemset2D"}, start, pitch, static_cast<uint32_t>(value), width, height,
                        1);
}

HIPAUDIT_EXPORT hipError_t hipMemset2DAsync(void* start, size_t pitch, int value, size_t width,
                                            size_t height, hipStream_t stream) {
  return fill_rectangle({"hipMemset2DAsync", stream, false}, start, pitch,
                        static_cast<uint32_t>(value), width, height, 1);
}

HIPAUDIT_EXPORT hipError_t hipMemset3D(hipPitchedPtr pitched, int value, hipExtent extent) {
  return fill_box({"hipMemset3D"}, pitched, value, extent);
}

HIPAUDIT_EXPORT hipError_t hipMemset3DAsync(hipPitchedPtr pitched, int value, hipExtent extent,
                                            hipStream_t stream) {
  return fill_box({"hipMemset3DAsync", stream, false}, pitched, value, extent);
}
