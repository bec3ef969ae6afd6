// What a pointer is.
#include <cstring>

#include "../include/hip/hip_runtime_api.h"
#include "error.h"
#include "export.h"
#include "memory.h"

namespace hipaudit {
namespace {

bool holder_of(const void* pointer, Allocation* out) {
  return find_live(reinterpret_cast<uintptr_t>(pointer), 1, out);
}

hipMemoryType memory_type(MemoryKind kind) {
  switch (kind) {
    case MemoryKind::device:
      return hipMemoryTypeDevice;
    case MemoryKind::managed:
      return hipMemoryTypeManaged;
    case MemoryKind::host:
    case MemoryKind::registered:
      return hipMemoryTypeHost;
  }
  return hipMemoryTypeUnregistered;
}

hipPointerAttribute_t attributes_of(void* pointer) {
  Allocation allocation;
  if (!holder_of(pointer, &allocation))
    return {hipMemoryTypeUnregistered, hipInvalidDeviceId, nullptr, nullptr, 0, 0};
  bool on_device = allocation.kind == MemoryKind::device;
  return {memory_type(allocation.kind),
          0,
          pointer,
          on_device ? nullptr : pointer,
          allocation.kind == MemoryKind::managed ? 1 : 0,
          allocation.flags};
}

template <typename T>
hipError_t put(void* out, T value) {
  memcpy(out, &value, sizeof(value));
  return hipSuccess;
}

hipError_t get_attribute(void* out, hipPointer_attribute attribute, void* pointer) {
  Allocation allocation;
  if (!holder_of(pointer, &allocation)) return hipErrorInvalidValue;
  hipPointerAttribute_t known = attributes_of(pointer);
  switch (attribute) {
    case HIP_POINTER_ATTRIBUTE_MEMORY_TYPE:
      return put(out, known.type);
    case HIP_POINTER_ATTRIBUTE_DEVICE_POINTER:
      return put(out, known.devicePointer);
    case HIP_POINTER_ATTRIBUTE_HOST_POINTER:
      return known.hostPointer != nullptr ? put(out, known.hostPointer) : hipErrorInvalidValue;
    case HIP_POINTER_ATTRIBUTE_BUFFER_ID:
      return put(out, allocation.id);
    case HIP_POINTER_ATTRIBUTE_IS_MANAGED:
      return put(out, known.isManaged != 0);
    case HIP_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
      return put(out, known.device);
    case HIP_POINTER_ATTRIBUTE_RANGE_START_ADDR:
      return put(out, allocation.address);
    case HIP_POINTER_ATTRIBUTE_RANGE_SIZE:
      return put(out, allocation.size);
    case HIP_POINTER_ATTRIBUTE_MAPPED:
      return put(out, true);
    default:
      return hipErrorNotSupported;
  }
}

}  // namespace
}  // namespace hipaudit

using hipaudit::Allocation;
using hipaudit::set_error;

// Memory that HIP knows nothing of is no error: its type is "unregistered".
HIPAUDIT_EXPORT hipError_t hipPointerGetAttributes(hipPointerAttribute_t* out,
                                                   const void* pointer) {
  if (out == nullptr || pointer == nullptr) return set_error(hipErrorInvalidValue);
  *out = hipaudit::attributes_of(const_cast<void*>(pointer));
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipPointerGetAttribute(void* out, hipPointer_attribute attribute,
                                                  hipDeviceptr_t pointer) {
  if (out == nullptr || pointer == nullptr) return set_error(hipErrorInvalidValue);
  return set_error(hipaudit::get_attribute(out, attribute, pointer));
}

HIPAUDIT_EXPORT hipError_t hipDrvPointerGetAttributes(unsigned int count,
                                                      hipPointer_attribute* attributes, void** out,
                                                      hipDeviceptr_t pointer) {
  if (count == 0 || attributes == nullptr || out == nullptr) return set_error(hipErrorInvalidValue);
  for (unsigned int i = 0; i < count; ++i) {
    hipError_t status = hipaudit::get_attribute(out[i], attributes[i], pointer);
    if (status != hipSuccess) return set_error(status);
  }
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipMemGetAddressRange(hipDeviceptr_t* base, size_t* size,
                                                 hipDeviceptr_t pointer) {
  Allocation allocation;
  if (!hipaudit::holder_of(pointer, &allocation)) return set_error(hipErrorNotFound);
  if (base != nullptr) *base = reinterpret_cast<void*>(allocation.address);
  if (size != nullptr) *size = allocation.size;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipMemPtrGetInfo(void* pointer, size_t* size) {
  Allocation allocation;
  if (size == nullptr || !hipaudit::holder_of(pointer, &allocation))
    return set_error(hipErrorInvalidValue);
  *size = allocation.size;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipHostGetFlags(unsigned int* flags, void* pointer) {
  Allocation allocation;
  if (flags == nullptr || !hipaudit::holder_of(pointer, &allocation))
    return set_error(hipErrorInvalidValue);
  if (allocation.kind != hipaudit::MemoryKind::host &&
      allocation.kind != hipaudit::MemoryKind::registered)
    return set_error(hipErrorInvalidValue);
  *flags = allocation.flags;
  return set_error(hipSuccess);
}
