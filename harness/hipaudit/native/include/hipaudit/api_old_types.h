// Structures as older versions of ROCm had them. Each carries a suffix like that of
// hipDeviceProp_t's layouts: R0000 until ROCm 5, R0600 until ROCm 6. Programs do not see this
// header.
#pragma once

#include "api_memory_types.h"
#include "api_module.h"
#include "api_old_properties.h"

typedef struct hipPointerAttribute_tR0000 {
  enum hipMemoryType memoryType;
  int device;
  void* devicePointer;
  void* hostPointer;
  int isManaged;
  unsigned int allocationFlags;
} hipPointerAttribute_tR0000;

typedef struct hipMemPoolPropsR0000 {
  hipMemAllocationType allocType;
  hipMemAllocationHandleType handleTypes;
  hipMemLocation location;
  void* win32SecurityAttributes;
  unsigned char reserved[64];
} hipMemPoolPropsR0000;

typedef struct hipMemAllocationPropR0000 {
  hipMemAllocationType type;
  hipMemAllocationHandleType requestedHandleType;
  hipMemLocation location;
  void* win32HandleMetaData;
  struct {
    unsigned char compressionType;
    unsigned char gpuDirectRDMACapable;
    unsigned short usage;
  } allocFlags;
} hipMemAllocationPropR0000;

typedef union hipLaunchAttributeValueR0600 {
  hipAccessPolicyWindow accessPolicyWindow;
  int cooperative;
  int priority;
} hipLaunchAttributeValueR0600;

typedef struct hipLaunchAttribute_stR0600 {
  hipLaunchAttributeID id;
  char pad[8 - sizeof(hipLaunchAttributeID)];
  union {
    hipLaunchAttributeValueR0600 val;
    hipLaunchAttributeValueR0600 value;
  };
} hipLaunchAttributeR0600;
