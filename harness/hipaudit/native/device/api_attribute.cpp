// hipDeviceGetAttribute: most attributes are fields of hipDeviceProp_t under another name.
#include <climits>

#include "device_state.h"
#include "error.h"
#include "export.h"
#include "profile.h"
#include "properties.h"

namespace hipaudit {
namespace {

using Properties = hipDeviceProp_tR0600;

struct Field {
  hipDeviceAttribute_t attribute;
  int Properties::* value;
};

constexpr Field kFields[] = {
    {hipDeviceAttributeEccEnabled, &Properties::ECCEnabled},
    {hipDeviceAttributeAccessPolicyMaxWindowSize, &Properties::accessPolicyMaxWindowSize},
    {hipDeviceAttributeAsyncEngineCount, &Properties::asyncEngineCount},
    {hipDeviceAttributeCanMapHostMemory, &Properties::canMapHostMemory},
    {hipDeviceAttributeCanUseHostPointerForRegisteredMem,
     &Properties::canUseHostPointerForRegisteredMem},
    {hipDeviceAttributeClockRate, &Properties::clockRate},
    {hipDeviceAttributeComputeMode, &Properties::computeMode},
    {hipDeviceAttributeComputePreemptionSupported, &Properties::computePreemptionSupported},
    {hipDeviceAttributeConcurrentKernels, &Properties::concurrentKernels},
    {hipDeviceAttributeConcurrentManagedAccess, &Properties::concurrentManagedAccess},
    {hipDeviceAttributeCooperativeLaunch, &Properties::cooperativeLaunch},
    {hipDeviceAttributeCooperativeMultiDeviceLaunch, &Properties::cooperativeMultiDeviceLaunch},
    {hipDeviceAttributeDeviceOverlap, &Properties::deviceOverlap},
    {hipDeviceAttributeDirectManagedMemAccessFromHost, &Properties::directManagedMemAccessFromHost},
    {hipDeviceAttributeGlobalL1CacheSupported, &Properties::globalL1CacheSupported},
    {hipDeviceAttributeHostNativeAtomicSupported, &Properties::hostNativeAtomicSupported},
    {hipDeviceAttributeIntegrated, &Properties::integrated},
    {hipDeviceAttributeIsMultiGpuBoard, &Properties::isMultiGpuBoard},
    {hipDeviceAttributeKernelExecTimeout, &Properties::kernelExecTimeoutEnabled},
    {hipDeviceAttributeL2CacheSize, &Properties::l2CacheSize},
    {hipDeviceAttributeLocalL1CacheSupported, &Properties::localL1CacheSupported},
    {hipDeviceAttributeComputeCapabilityMajor, &Properties::major},
    {hipDeviceAttributeComputeCapabilityMinor, &Properties::minor},
    {hipDeviceAttributeManagedMemory, &Properties::managedMemory},
    {hipDeviceAttributeMaxBlocksPerMultiProcessor, &Properties::maxBlocksPerMultiProcessor},
    {hipDeviceAttributeMaxThreadsPerBlock, &Properties::maxThreadsPerBlock},
    {hipDeviceAttributeMaxThreadsPerMultiProcessor, &Properties::maxThreadsPerMultiProcessor},
    {hipDeviceAttributeMemoryBusWidth, &Properties::memoryBusWidth},
    {hipDeviceAttributeMemoryClockRate, &Properties::memoryClockRate},
    {hipDeviceAttributeMultiGpuBoardGroupID, &Properties::multiGpuBoardGroupID},
    {hipDeviceAttributeMultiprocessorCount, &Properties::multiProcessorCount},
    {hipDeviceAttributePhysicalMultiProcessorCount, &Properties::multiProcessorCount},
    {hipDeviceAttributePageableMemoryAccess, &Properties::pageableMemoryAccess},
    {hipDeviceAttributePageableMemoryAccessUsesHostPageTables,
     &Properties::pageableMemoryAccessUsesHostPageTables},
    {hipDeviceAttributePciBusId, &Properties::pciBusID},
    {hipDeviceAttributePciDeviceId, &Properties::pciDeviceID},
    {hipDeviceAttributePciDomainId, &Properties::pciDomainID},
    {hipDeviceAttributePersistingL2CacheMaxSize, &Properties::persistingL2CacheMaxSize},
    {hipDeviceAttributeMaxRegistersPerBlock, &Properties::regsPerBlock},
    {hipDeviceAttributeMaxRegistersPerMultiprocessor, &Properties::regsPerMultiprocessor},
    {hipDeviceAttributeSingleToDoublePrecisionPerfRatio,
     &Properties::singleToDoublePrecisionPerfRatio},
    {hipDeviceAttributeStreamPrioritiesSupported, &Properties::streamPrioritiesSupported},
    {hipDeviceAttributeUnifiedAddressing, &Properties::unifiedAddressing},
    {hipDeviceAttributeWarpSize, &Properties::warpSize},
    {hipDeviceAttributeMemoryPoolsSupported, &Properties::memoryPoolsSupported},
    {hipDeviceAttributeHostRegisterSupported, &Properties::hostRegisterSupported},
    {hipDeviceAttributeIsLargeBar, &Properties::isLargeBar},
    {hipDeviceAttributeAsicRevision, &Properties::asicRevision},
    {hipDeviceAttributeMaxTexture1DWidth, &Properties::maxTexture1D},
    {hipDeviceAttributeMaxTexture1DLinear, &Properties::maxTexture1DLinear},
    {hipDeviceAttributeTccDriver, &Properties::tccDriver},
};

struct SizeField {
  hipDeviceAttribute_t attribute;
  size_t Properties::* value;
};

constexpr SizeField kSizeFields[] = {
    {hipDeviceAttributeMaxPitch, &Properties::memPitch},
    {hipDeviceAttributeReservedSharedMemPerBlock, &Properties::reservedSharedMemPerBlock},
    {hipDeviceAttributeMaxSharedMemoryPerBlock, &Properties::sharedMemPerBlock},
    {hipDeviceAttributeSharedMemPerBlockOptin, &Properties::sharedMemPerBlockOptin},
    {hipDeviceAttributeSharedMemPerMultiprocessor, &Properties::sharedMemPerMultiprocessor},
    {hipDeviceAttributeMaxSharedMemoryPerMultiprocessor,
     &Properties::maxSharedMemoryPerMultiProcessor},
    {hipDeviceAttributeSurfaceAlignment, &Properties::surfaceAlignment},
    {hipDeviceAttributeTextureAlignment, &Properties::textureAlignment},
    {hipDeviceAttributeTexturePitchAlignment, &Properties::texturePitchAlignment},
    {hipDeviceAttributeTotalConstantMemory, &Properties::totalConstMem},
    {hipDeviceAttributeTotalGlobalMem, &Properties::totalGlobalMem},
};

bool other_attribute(hipDeviceAttribute_t attribute, const Properties& properties, int* out) {
  const Profile& profile = current_profile();
  switch (attribute) {
    case hipDeviceAttributeMaxBlockDimX:
    case hipDeviceAttributeMaxBlockDimY:
    case hipDeviceAttributeMaxBlockDimZ:
      *out = properties.maxThreadsDim[attribute - hipDeviceAttributeMaxBlockDimX];
      return true;
    case hipDeviceAttributeMaxGridDimX:
    case hipDeviceAttributeMaxGridDimY:
    case hipDeviceAttributeMaxGridDimZ:
      *out = properties.maxGridSize[attribute - hipDeviceAttributeMaxGridDimX];
      return true;
    case hipDeviceAttributeWallClockRate:
      *out = 100000;  // kHz, of wall_clock64()
      return true;
    case hipDeviceAttributeNumberOfXccs:
      *out = profile.xccs;
      return true;
    case hipDeviceAttributeMaxAvailableVgprsPerThread:
      *out = profile.vgprs_per_thread;
      return true;
    case hipDeviceAttributePciChipId:
      *out = profile.pci_chip_id;
      return true;
    case hipDeviceAttributeFineGrainSupport:
      *out = 1;
      return true;
    case hipDeviceAttributeImageSupport:
    case hipDeviceAttributeCanUseStreamWaitValue:
    case hipDeviceAttributeVirtualMemoryManagementSupported:
    case hipDeviceAttributeMemoryPoolSupportedHandleTypes:
    case hipDeviceAttributeDmaBufSupported:
    case hipDeviceAttributeGPUDirectRDMAWithHipVMMSupported:
    case hipDeviceAttributeHandleTypeFabricSupported:
      *out = 0;  // not emulated
      return true;
    default:
      return false;
  }
}

bool find_attribute(hipDeviceAttribute_t attribute, int* out) {
  Properties properties = device_properties();
  for (const Field& field : kFields) {
    if (field.attribute != attribute) continue;
    *out = properties.*field.value;
    return true;
  }
  for (const SizeField& field : kSizeFields) {
    if (field.attribute != attribute) continue;
    size_t value = properties.*field.value;
    *out = value > INT_MAX ? INT_MAX : static_cast<int>(value);
    return true;
  }
  return other_attribute(attribute, properties, out);
}

}  // namespace
}  // namespace hipaudit

using hipaudit::set_error;

HIPAUDIT_EXPORT hipError_t hipDeviceGetAttribute(int* value, hipDeviceAttribute_t attribute,
                                                 int device) {
  if (value == nullptr) return set_error(hipErrorInvalidValue);
  if (!hipaudit::valid_device(device)) return set_error(hipErrorInvalidDevice);
  bool known = hipaudit::find_attribute(attribute, value);
  return set_error(known ? hipSuccess : hipErrorInvalidValue);
}

HIPAUDIT_EXPORT hipError_t hipDeviceGetP2PAttribute(int* value, hipDeviceP2PAttr, int, int) {
  // Peers are two different devices, and there is one.
  return set_error(value == nullptr ? hipErrorInvalidValue : hipErrorInvalidDevice);
}
