// Allocation and what is known about memory as a whole.
#include <sys/mman.h>

#include "../include/hip/hip_runtime_api.h"
#include "address_space.h"
#include "device_state.h"
#include "error.h"
#include "export.h"
#include "memory.h"
#include "pool.h"
#include "profile.h"

namespace hipaudit {
namespace {

constexpr size_t kPitchAlignment = 256;

hipError_t allocate_to(void** out, size_t bytes, MemoryKind kind, unsigned int flags) {
  if (out == nullptr) return hipErrorInvalidValue;
  *out = nullptr;
  if (bytes == 0) return hipSuccess;
  *out = allocate(bytes, kind, flags);
  return *out != nullptr ? hipSuccess : hipErrorOutOfMemory;
}

hipError_t allocate_host(void** out, size_t bytes, unsigned int flags) {
  constexpr unsigned int kCoherence = hipHostMallocCoherent | hipHostMallocNonCoherent;
  constexpr unsigned int kKnown = hipHostMallocPortable | hipHostMallocMapped |
                                  hipHostMallocWriteCombined | hipHostMallocUncached |
                                  hipHostMallocNumaUser | kCoherence;
  if ((flags & ~kKnown) != 0) return hipErrorInvalidValue;
  if ((flags & kCoherence) == kCoherence) return hipErrorInvalidValue;
  return allocate_to(out, bytes, MemoryKind::host, flags);
}

hipError_t allocate_rows(void** out, size_t* pitch, size_t width, size_t rows) {
  if (out == nullptr || pitch == nullptr) return hipErrorInvalidValue;
  size_t bytes = 0;
  *pitch = round_up(width, kPitchAlignment);
  if (*pitch < width || __builtin_mul_overflow(*pitch, rows, &bytes)) return hipErrorOutOfMemory;
  return allocate_to(out, bytes, MemoryKind::device, 0);
}

// Frees wait for the device's work, as hipFree does; by then it has run.
hipError_t release_checked(void* pointer) {
  if (pointer == nullptr) return hipSuccess;
  forget_pooled(pointer);
  return release(pointer) ? hipSuccess : hipErrorInvalidValue;
}

bool is_mapped(uintptr_t start, size_t bytes) {
  uintptr_t first = start / kPageBytes * kPageBytes;
  uintptr_t last = (start + bytes - 1) / kPageBytes * kPageBytes;
  unsigned char resident = 0;
  return mincore(reinterpret_cast<void*>(first), kPageBytes, &resident) == 0 &&
         mincore(reinterpret_cast<void*>(last), kPageBytes, &resident) == 0;
}

hipError_t register_checked(void* pointer, size_t bytes, unsigned int flags) {
  constexpr unsigned int kKnown = hipHostRegisterPortable | hipHostRegisterMapped |
                                  hipHostRegisterIoMemory | hipExtHostRegisterCoarseGrained;
  uintptr_t start = reinterpret_cast<uintptr_t>(pointer);
  if (pointer == nullptr || bytes == 0 || (flags & ~kKnown) != 0) return hipErrorInvalidValue;
  if (start > UINTPTR_MAX - bytes || !is_mapped(start, bytes)) return hipErrorInvalidValue;
  return register_host(pointer, bytes, flags) ? hipSuccess : hipErrorHostMemoryAlreadyRegistered;
}

// The device sees host memory at the host's own address.
hipError_t device_address(void** out, void* host) {
  Allocation allocation;
  if (out == nullptr || host == nullptr) return hipErrorInvalidValue;
  *out = nullptr;
  if (!find_allocation(reinterpret_cast<uintptr_t>(host), &allocation) || !allocation.live)
    return hipErrorInvalidValue;
  if (allocation.kind == MemoryKind::device) return hipErrorInvalidValue;
  *out = host;
  return hipSuccess;
}

}  // namespace
}  // namespace hipaudit

using hipaudit::MemoryKind;
using hipaudit::set_error;

HIPAUDIT_EXPORT hipError_t hipMalloc(void** pointer, size_t bytes) {
  return set_error(hipaudit::allocate_to(pointer, bytes, MemoryKind::device, 0));
}

HIPAUDIT_EXPORT hipError_t hipExtMallocWithFlags(void** pointer, size_t bytes, unsigned int flags) {
  if (flags > hipDeviceMallocUncached) return set_error(hipErrorInvalidValue);
  return set_error(hipaudit::allocate_to(pointer, bytes, MemoryKind::device, flags));
}

HIPAUDIT_EXPORT hipError_t hipMallocManaged(void** pointer, size_t bytes, unsigned int flags) {
  if (flags != hipMemAttachGlobal && flags != hipMemAttachHost)
    return set_error(hipErrorInvalidValue);
  return set_error(hipaudit::allocate_to(pointer, bytes, MemoryKind::managed, flags));
}

HIPAUDIT_EXPORT hipError_t hipMallocPitch(void** pointer, size_t* pitch, size_t width,
                                          size_t height) {
  return set_error(hipaudit::allocate_rows(pointer, pitch, width, height));
}

HIPAUDIT_EXPORT hipError_t hipMemAllocPitch(hipDeviceptr_t* pointer, size_t* pitch, size_t width,
                                            size_t height, unsigned int element_bytes) {
  if (element_bytes != 4 && element_bytes != 8 && element_bytes != 16)
    return set_error(hipErrorInvalidValue);
  return set_error(hipaudit::allocate_rows(pointer, pitch, width, height));
}

HIPAUDIT_EXPORT hipError_t hipMalloc3D(hipPitchedPtr* pitched, hipExtent extent) {
  size_t rows = 0;
  if (pitched == nullptr) return set_error(hipErrorInvalidValue);
  if (__builtin_mul_overflow(extent.height, extent.depth, &rows))
    return set_error(hipErrorOutOfMemory);
  *pitched = {nullptr, 0, extent.width, extent.height};
  return set_error(hipaudit::allocate_rows(&pitched->ptr, &pitched->pitch, extent.width, rows));
}

HIPAUDIT_EXPORT hipError_t hipFree(void* pointer) {
  return set_error(hipaudit::release_checked(pointer));
}

HIPAUDIT_EXPORT hipError_t hipHostMalloc(void** pointer, size_t bytes, unsigned int flags) {
  return set_error(hipaudit::allocate_host(pointer, bytes, flags));
}

HIPAUDIT_EXPORT hipError_t hipHostAlloc(void** pointer, size_t bytes, unsigned int flags) {
  return set_error(hipaudit::allocate_host(pointer, bytes, flags));
}

HIPAUDIT_EXPORT hipError_t hipMallocHost(void** pointer, size_t bytes) {
  return set_error(hipaudit::allocate_host(pointer, bytes, hipHostMallocDefault));
}

HIPAUDIT_EXPORT hipError_t hipMemAllocHost(void** pointer, size_t bytes) {
  return set_error(hipaudit::allocate_host(pointer, bytes, hipHostMallocDefault));
}

HIPAUDIT_EXPORT hipError_t hipHostFree(void* pointer) {
  return set_error(hipaudit::release_checked(pointer));
}

HIPAUDIT_EXPORT hipError_t hipFreeHost(void* pointer) {
  return set_error(hipaudit::release_checked(pointer));
}

HIPAUDIT_EXPORT hipError_t hipHostRegister(void* pointer, size_t bytes, unsigned int flags) {
  return set_error(hipaudit::register_checked(pointer, bytes, flags));
}

HIPAUDIT_EXPORT hipError_t hipHostUnregister(void* pointer) {
  return set_error(hipaudit::unregister_host(pointer) ? hipSuccess
                                                      : hipErrorHostMemoryNotRegistered);
}

HIPAUDIT_EXPORT hipError_t hipHostGetDevicePointer(void** device, void* host, unsigned int flags) {
  if (flags != 0) return set_error(hipErrorInvalidValue);
  return set_error(hipaudit::device_address(device, host));
}

HIPAUDIT_EXPORT hipError_t hipMemGetInfo(size_t* free, size_t* total) {
  size_t all = hipaudit::current_profile().memory_bytes;
  size_t used = hipaudit::live_device_bytes();
  if (free != nullptr) *free = used < all ? all - used : 0;
  if (total != nullptr) *total = all;
  return set_error(hipSuccess);
}

// Managed memory is one memory for host and device here: hints on where it should be change
// nothing.
HIPAUDIT_EXPORT hipError_t hipMemPrefetchAsync(const void* pointer, size_t bytes, int device,
                                               hipStream_t) {
  bool known_place = device == hipCpuDeviceId || hipaudit::valid_device(device);
  if (pointer == nullptr || bytes == 0) return set_error(hipErrorInvalidValue);
  return set_error(known_place ? hipSuccess : hipErrorInvalidDevice);
}

HIPAUDIT_EXPORT hipError_t hipMemAdvise(const void* pointer, size_t bytes, hipMemoryAdvise,
                                        int device) {
  bool known_place = device == hipCpuDeviceId || hipaudit::valid_device(device);
  if (pointer == nullptr || bytes == 0) return set_error(hipErrorInvalidValue);
  return set_error(known_place ? hipSuccess : hipErrorInvalidDevice);
}
