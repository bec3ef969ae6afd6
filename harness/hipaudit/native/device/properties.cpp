#include "properties.h"

#include <climits>
#include <cstdio>
#include <cstring>

#include "../include/hipaudit/api_old_properties.h"
#include "device_state.h"
#include "error.h"
#include "export.h"
#include "profile.h"

namespace hipaudit {
namespace {

static_assert(sizeof(hipDeviceProp_tR0600) == 1472);
static_assert(offsetof(hipDeviceProp_tR0600, totalGlobalMem) == 288);
static_assert(offsetof(hipDeviceProp_tR0600, multiProcessorCount) == 388);
static_assert(offsetof(hipDeviceProp_tR0600, gcnArchName) == 1160);

constexpr int kClockInstructionKhz = 1000000;

hipDeviceArch_t arch_features() {
  hipDeviceArch_t arch = {};
  arch.hasGlobalInt32Atomics = 1;
  arch.hasGlobalFloatAtomicExch = 1;
  arch.hasSharedInt32Atomics = 1;
  arch.hasSharedFloatAtomicExch = 1;
  arch.hasFloatAtomicAdd = 1;
  arch.hasGlobalInt64Atomics = 1;
  arch.hasSharedInt64Atomics = 1;
  arch.hasDoubles = 1;
  arch.hasWarpVote = 1;
  arch.hasWarpBallot = 1;
  arch.hasWarpShuffle = 1;
  arch.hasThreadFenceSystem = 1;
  arch.has3dGrid = 1;
  return arch;
}

void fill_identity(const Profile& profile, hipDeviceProp_tR0600* out) {
  snprintf(out->name, sizeof(out->name), "%s", profile.name);
  snprintf(out->gcnArchName, sizeof(out->gcnArchName), "%s", profile.gcn_arch_name);
  char uuid[sizeof(out->uuid.bytes) + 1];
  snprintf(uuid, sizeof(uuid), "hipaudit%08x", static_cast<unsigned>(profile.pci_chip_id));
  memcpy(out->uuid.bytes, uuid, sizeof(out->uuid.bytes));
  out->major = profile.major;
  out->minor = profile.minor;
  out->pciBusID = 3;
  out->arch = arch_features();
}

void fill_memory(const Profile& profile, hipDeviceProp_tR0600* out) {
  out->totalGlobalMem = profile.memory_bytes;
  out->totalConstMem = INT_MAX;
  out->memPitch = INT_MAX;
  out->memoryClockRate = profile.memory_clock_khz;
  out->memoryBusWidth = profile.memory_bus_bits;
  out->l2CacheSize = static_cast<int>(profile.l2_bytes);
  out->persistingL2CacheMaxSize = out->l2CacheSize;
  out->globalL1CacheSupported = 1;
  out->localL1CacheSupported = 1;
  out->ECCEnabled = profile.ecc ? 1 : 0;
  out->textureAlignment = 256;
  out->texturePitchAlignment = 256;
  out->surfaceAlignment = 256;
  out->canMapHostMemory = 1;
  out->unifiedAddressing = 1;
  out->managedMemory = 1;
  out->concurrentManagedAccess = 1;
  out->hostRegisterSupported = 1;
  out->memoryPoolsSupported = 1;
  out->isLargeBar = 1;
}

void fill_execution(const Profile& profile, hipDeviceProp_tR0600* out) {
  out->multiProcessorCount = profile.multiprocessors;
  out->clockRate = profile.clock_khz;
  out->clockInstructionRate = kClockInstructionKhz;
  out->warpSize = profile.wave;
  out->maxThreadsPerBlock = profile.max_threads_per_block;
  for (int& extent : out->maxThreadsDim) extent = profile.max_threads_per_block;
  out->maxGridSize[0] = INT_MAX;
  out->maxGridSize[1] = USHRT_MAX + 1;
  out->maxGridSize[2] = USHRT_MAX + 1;
  out->maxThreadsPerMultiProcessor = profile.max_threads_per_multiprocessor;
  out->maxBlocksPerMultiProcessor = profile.max_threads_per_multiprocessor / profile.wave;
  out->regsPerBlock = profile.registers_per_multiprocessor();
  out->regsPerMultiprocessor = profile.registers_per_multiprocessor();
  out->sharedMemPerBlock = profile.lds_bytes;
  out->sharedMemPerBlockOptin = profile.lds_bytes;
  out->sharedMemPerMultiprocessor = profile.lds_bytes;
  out->maxSharedMemoryPerMultiProcessor = profile.lds_bytes;
  out->concurrentKernels = 1;
  out->cooperativeLaunch = 1;
  out->streamPrioritiesSupported = 1;
  out->asyncEngineCount = 8;
  out->deviceOverlap = 1;
}

hipDeviceProp_tR0000 old_properties() {
  hipDeviceProp_tR0600 now = device_properties();
  hipDeviceProp_tR0000 old = {};
  memcpy(old.name, now.name, sizeof(old.name));
  memcpy(old.gcnArchName, now.gcnArchName, sizeof(old.gcnArchName));
  memcpy(old.maxThreadsDim, now.maxThreadsDim, sizeof(old.maxThreadsDim));
  memcpy(old.maxGridSize, now.maxGridSize, sizeof(old.maxGridSize));
  sscanf(now.gcnArchName, "gfx%d", &old.gcnArch);
  old.totalGlobalMem = now.totalGlobalMem;
  old.sharedMemPerBlock = now.sharedMemPerBlock;
  old.regsPerBlock = now.regsPerBlock;
  old.warpSize = now.warpSize;
  old.maxThreadsPerBlock = now.maxThreadsPerBlock;
  old.clockRate = now.clockRate;
  old.memoryClockRate = now.memoryClockRate;
  old.memoryBusWidth = now.memoryBusWidth;
  old.totalConstMem = now.totalConstMem;
  old.major = now.major;
  old.minor = now.minor;
  old.multiProcessorCount = now.multiProcessorCount;
  old.l2CacheSize = now.l2CacheSize;
  old.maxThreadsPerMultiProcessor = now.maxThreadsPerMultiProcessor;
  old.clockInstructionRate = now.clockInstructionRate;
  old.arch = now.arch;
  old.concurrentKernels = now.concurrentKernels;
  old.pciBusID = now.pciBusID;
  old.maxSharedMemoryPerMultiProcessor = now.maxSharedMemoryPerMultiProcessor;
  old.canMapHostMemory = now.canMapHostMemory;
  old.cooperativeLaunch = now.cooperativeLaunch;
  old.memPitch = now.memPitch;
  old.textureAlignment = now.textureAlignment;
  old.texturePitchAlignment = now.texturePitchAlignment;
  old.ECCEnabled = now.ECCEnabled;
  old.isLargeBar = now.isLargeBar;
  old.managedMemory = now.managedMemory;
  old.concurrentManagedAccess = now.concurrentManagedAccess;
  return old;
}

}  // namespace

hipDeviceProp_tR0600 device_properties() {
  hipDeviceProp_tR0600 properties = {};
  const Profile& profile = current_profile();
  fill_identity(profile, &properties);
  fill_memory(profile, &properties);
  fill_execution(profile, &properties);
  return properties;
}

}  // namespace hipaudit

using hipaudit::set_error;
using hipaudit::valid_device;

HIPAUDIT_EXPORT hipError_t hipGetDevicePropertiesR0600(hipDeviceProp_tR0600* out, int device) {
  if (out == nullptr) return set_error(hipErrorInvalidValue);
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  *out = hipaudit::device_properties();
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipGetDevicePropertiesR0000(hipDeviceProp_tR0000* out, int device) {
  if (out == nullptr) return set_error(hipErrorInvalidValue);
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  *out = hipaudit::old_properties();
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipChooseDeviceR0600(int* device, const hipDeviceProp_tR0600* wanted) {
  if (device == nullptr || wanted == nullptr) return set_error(hipErrorInvalidValue);
  *device = 0;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipChooseDeviceR0000(int* device, const hipDeviceProp_tR0000* wanted) {
  if (device == nullptr || wanted == nullptr) return set_error(hipErrorInvalidValue);
  *device = 0;
  return set_error(hipSuccess);
}

// The plain names are what programs built before ROCm 6.0 call.
#undef hipGetDeviceProperties
#undef hipChooseDevice

HIPAUDIT_EXPORT hipError_t hipGetDeviceProperties(hipDeviceProp_tR0000* out, int device) {
  return hipGetDevicePropertiesR0000(out, device);
}

HIPAUDIT_EXPORT hipError_t hipChooseDevice(int* device, const hipDeviceProp_tR0000* wanted) {
  return hipChooseDeviceR0000(device, wanted);
}

HIPAUDIT_EXPORT hipError_t hipDeviceGetUuid(hipUUID_t* uuid, hipDevice_t device) {
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  if (uuid == nullptr) return set_error(hipErrorInvalidValue);
  *uuid = hipaudit::device_properties().uuid;
  return set_error(hipSuccess);
}
