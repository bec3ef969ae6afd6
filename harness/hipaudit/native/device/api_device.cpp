// Initialisation, the choice of the device, limits and flags.
#include <cstdio>
#include <cstring>

#include "../include/hip/hip_runtime_api.h"
#include "device_state.h"
#include "error.h"
#include "export.h"
#include "memory.h"
#include "pool.h"
#include "profile.h"
#include "stream.h"

namespace hipaudit {
namespace {

constexpr char kPciBusId[] = "0000:03:00.0";

hipError_t copy_text(const char* text, char* out, int length) {
  if (out == nullptr || length <= 0) return hipErrorInvalidValue;
  snprintf(out, static_cast<size_t>(length), "%s", text);
  return hipSuccess;
}

std::atomic<size_t>* limit_value(hipLimit_t limit) {
  switch (limit) {
    case hipLimitStackSize:
      return &device_state().stack_bytes;
    case hipLimitPrintfFifoSize:
      return &device_state().printf_bytes;
    case hipLimitMallocHeapSize:
      return &device_state().heap_bytes;
    default:
      return nullptr;
  }
}

void restore_defaults(DeviceState& state) {
  state.flags = hipDeviceScheduleAuto;
  state.cache = hipFuncCachePreferNone;
}

}  // namespace

DeviceState& device_state() {
  static constinit DeviceState state;
  return state;
}

hipError_t synchronize_device() {
  {
    StreamTurn turn(nullptr);
  }
  return take_async_error();
}

}  // namespace hipaudit

using hipaudit::set_error;
using hipaudit::valid_device;

HIPAUDIT_EXPORT hipError_t hipInit(unsigned int flags) {
  if (flags != 0) return set_error(hipErrorInvalidValue);
  return set_error(hipaudit::device_memory_ready() ? hipSuccess : hipErrorNotInitialized);
}

HIPAUDIT_EXPORT hipError_t hipDriverGetVersion(int* version) {
  if (version == nullptr) return set_error(hipErrorInvalidValue);
  *version = HIP_VERSION;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipRuntimeGetVersion(int* version) {
  return hipDriverGetVersion(version);
}

HIPAUDIT_EXPORT hipError_t hipGetDeviceCount(int* count) {
  if (count == nullptr) return set_error(hipErrorInvalidValue);
  *count = 1;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipGetDevice(int* device) {
  if (device == nullptr) return set_error(hipErrorInvalidValue);
  *device = 0;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipSetDevice(int device) {
  return set_error(valid_device(device) ? hipSuccess : hipErrorInvalidDevice);
}

HIPAUDIT_EXPORT hipError_t hipDeviceGet(hipDevice_t* device, int ordinal) {
  if (device == nullptr) return set_error(hipErrorInvalidValue);
  if (!valid_device(ordinal)) return set_error(hipErrorInvalidDevice);
  *device = ordinal;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceGetName(char* name, int length, hipDevice_t device) {
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  return set_error(hipaudit::copy_text(hipaudit::current_profile().name, name, length));
}

HIPAUDIT_EXPORT hipError_t hipDeviceGetPCIBusId(char* id, int length, int device) {
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  return set_error(hipaudit::copy_text(hipaudit::kPciBusId, id, length));
}

HIPAUDIT_EXPORT hipError_t hipDeviceGetByPCIBusId(int* device, const char* id) {
  if (device == nullptr || id == nullptr) return set_error(hipErrorInvalidValue);
  if (strcmp(id, hipaudit::kPciBusId) != 0) return set_error(hipErrorInvalidDevice);
  *device = 0;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceComputeCapability(int* major, int* minor, hipDevice_t device) {
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  if (major == nullptr || minor == nullptr) return set_error(hipErrorInvalidValue);
  *major = hipaudit::current_profile().major;
  *minor = hipaudit::current_profile().minor;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceTotalMem(size_t* bytes, hipDevice_t device) {
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  if (bytes == nullptr) return set_error(hipErrorInvalidValue);
  *bytes = hipaudit::current_profile().memory_bytes;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceSynchronize() {
  return set_error(hipaudit::synchronize_device());
}

HIPAUDIT_EXPORT hipError_t hipDeviceReset() {
  hipError_t status = hipaudit::synchronize_device();
  hipaudit::forget_all_pooled();
  hipaudit::release_all();
  hipaudit::destroy_streams();
  hipaudit::destroy_events();
  hipaudit::restore_defaults(hipaudit::device_state());
  return set_error(status);
}

HIPAUDIT_EXPORT hipError_t hipDeviceGetLimit(size_t* value, hipLimit_t limit) {
  if (value == nullptr) return set_error(hipErrorInvalidValue);
  const auto* stored = hipaudit::limit_value(limit);
  if (stored == nullptr) return set_error(hipErrorUnsupportedLimit);
  *value = *stored;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceSetLimit(hipLimit_t limit, size_t value) {
  auto* stored = hipaudit::limit_value(limit);
  if (stored == nullptr) return set_error(hipErrorUnsupportedLimit);
  *stored = value;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipGetDeviceFlags(unsigned int* flags) {
  if (flags == nullptr) return set_error(hipErrorInvalidValue);
  *flags = hipaudit::device_state().flags;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipSetDeviceFlags(unsigned int flags) {
  constexpr unsigned int kKnown =
      hipDeviceScheduleMask | hipDeviceMapHost | hipDeviceLmemResizeToMax;
  if ((flags & ~kKnown) != 0) return set_error(hipErrorInvalidValue);
  hipaudit::device_state().flags = flags;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceGetCacheConfig(hipFuncCache_t* config) {
  if (config == nullptr) return set_error(hipErrorInvalidValue);
  *config = hipaudit::device_state().cache;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceSetCacheConfig(hipFuncCache_t config) {
  hipaudit::device_state().cache = config;  // a hint that AMD's devices ignore
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceGetSharedMemConfig(hipSharedMemConfig* config) {
  if (config == nullptr) return set_error(hipErrorInvalidValue);
  *config = hipSharedMemBankSizeFourByte;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceSetSharedMemConfig(hipSharedMemConfig) {
  return set_error(hipSuccess);  // banks are four bytes wide on AMD's devices; a hint they ignore
}

HIPAUDIT_EXPORT hipError_t hipDeviceCanAccessPeer(int* can_access, int device, int peer) {
  if (can_access == nullptr) return set_error(hipErrorInvalidValue);
  if (!valid_device(device) || !valid_device(peer)) return set_error(hipErrorInvalidDevice);
  *can_access = 0;  // a device is no peer of itself
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceEnablePeerAccess(int, unsigned int) {
  return set_error(hipErrorInvalidDevice);
}

HIPAUDIT_EXPORT hipError_t hipDeviceDisablePeerAccess(int) {
  return set_error(hipErrorInvalidDevice);
}

HIPAUDIT_EXPORT hipError_t hipProfilerStart() { return set_error(hipErrorNotSupported); }
HIPAUDIT_EXPORT hipError_t hipProfilerStop() { return set_error(hipErrorNotSupported); }
