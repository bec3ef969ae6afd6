// Copies of one line of bytes.
#include "../include/hip/hip_runtime_api.h"
#include "copy.h"
#include "device_state.h"
#include "error.h"
#include "export.h"

namespace hipaudit {
namespace {

hipError_t copy_line(const char* call, void* destination, const void* source, size_t bytes,
                     hipMemcpyKind kind, hipStream_t stream, bool synchronous) {
  Copy copy;
  copy.call = call;
  copy.destination.start = reinterpret_cast<uintptr_t>(destination);
  copy.source.start = reinterpret_cast<uintptr_t>(source);
  copy.size.width = bytes;
  copy.kind = kind;
  copy.stream = stream;
  copy.synchronous = synchronous;
  return set_error(run_copy(copy));
}

}  // namespace
}  // namespace hipaudit

using hipaudit::copy_line;
using hipaudit::set_error;
using hipaudit::valid_device;

HIPAUDIT_EXPORT hipError_t hipMemcpy(void* destination, const void* source, size_t bytes,
                                     hipMemcpyKind kind) {
  return copy_line("hipMemcpy", destination, source, bytes, kind, nullptr, true);
}

HIPAUDIT_EXPORT hipError_t hipMemcpyAsync(void* destination, const void* source, size_t bytes,
                                          hipMemcpyKind kind, hipStream_t stream) {
  return copy_line("hipMemcpyAsync", destination, source, bytes, kind, stream, false);
}

HIPAUDIT_EXPORT hipError_t hipMemcpyWithStream(void* destination, const void* source, size_t bytes,
                                               hipMemcpyKind kind, hipStream_t stream) {
  return copy_line("hipMemcpyWithStream", destination, source, bytes, kind, stream, true);
}

HIPAUDIT_EXPORT hipError_t hipMemcpyHtoD(hipDeviceptr_t destination, const void* source,
                                         size_t bytes) {
  return copy_line("hipMemcpyHtoD", destination, source, bytes, hipMemcpyHostToDevice, nullptr,
                   true);
}

HIPAUDIT_EXPORT hipError_t hipMemcpyDtoH(void* destination, hipDeviceptr_t source, size_t bytes) {
  return copy_line("hipMemcpyDtoH", destination, source, bytes, hipMemcpyDeviceToHost, nullptr,
                   true);
}

HIPAUDIT_EXPORT hipError_t hipMemcpyDtoD(hipDeviceptr_t destination, hipDeviceptr_t source,
                                         size_t bytes) {
  return copy_line("hipMemcpyDtoD", destination, source, bytes, hipMemcpyDeviceToDevice, nullptr,
                   true);
}

HIPAUDIT_EXPORT hipError_t hipMemcpyHtoDAsync(hipDeviceptr_t destination, const void* source,
                                              size_t bytes, hipStream_t stream) {
  return copy_line("hipMemcpyHtoDAsync", destination, source, bytes, hipMemcpyHostToDevice, stream,
                   false);
}

HIPAUDIT_EXPORT hipError_t hipMemcpyDtoHAsync(void* destination, hipDeviceptr_t source,
                                              size_t bytes, hipStream_t stream) {
  return copy_line("hipMemcpyDtoHAsync", destination, source, bytes, hipMemcpyDeviceToHost, stream,
                   false);
}

HIPAUDIT_EXPORT hipError_t hipMemcpyDtoDAsync(hipDeviceptr_t destination, hipDeviceptr_t source,
                                              size_t bytes, hipStream_t stream) {
  return copy_line("hipMemcpyDtoDAsync", destination, source, bytes, hipMemcpyDeviceToDevice,
                   stream, false);
}

HIPAUDIT_EXPORT hipError_t hipMemcpyPeer(void* destination, int destination_device,
                                         const void* source, int source_device, size_t bytes) {
  if (!valid_device(destination_device) || !valid_device(source_device))
    return set_error(hipErrorInvalidDevice);
  return copy_line("hipMemcpyPeer", destination, source, bytes, hipMemcpyDeviceToDevice, nullptr,
                   true);
}

HIPAUDIT_EXPORT hipError_t hipMemcpyPeerAsync(void* destination, int destination_device,
                                              const void* source, int source_device, size_t bytes,
                                              hipStream_t stream) {
  if (!valid_device(destination_device) || !valid_device(source_device))
    return set_error(hipErrorInvalidDevice);
  return copy_line("hipMemcpyPeerAsync", destination, source, bytes, hipMemcpyDeviceToDevice,
                   stream, false);
}
