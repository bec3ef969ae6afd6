#include <map>
#include <set>

#include "../include/hip/hip_runtime_api.h"
#include "device_state.h"
#include "error.h"
#include "export.h"
#include "memory.h"
#include "pool.h"
#include "stream.h"
#include "sync.h"

struct ihipMemPoolHandle_t {
  size_t max_bytes = 0;  // 0: no limit
  uint64_t release_threshold = 0;
  uint64_t used = 0;
  uint64_t used_high = 0;
  int reuse[3] = {1, 1, 1};  // follow event dependencies, opportunistic, internal dependencies
};

namespace hipaudit {
namespace {

struct Pooled {
  ihipMemPoolHandle_t* pool;
  size_t bytes;
};

struct Pools {
  Mutex mutex;
  ihipMemPoolHandle_t standard;
  ihipMemPoolHandle_t* current = &standard;
  std::set<ihipMemPoolHandle_t*> live{&standard};
  std::map<const void*, Pooled> buffers;
};

// Never destroyed: programs free buffers from exit handlers.
Pools* const pools = new Pools;

bool valid_pool(hipMemPool_t pool) { return pools->live.count(pool) != 0; }

hipError_t allocate_from(void** out, size_t bytes, hipMemPool_t pool, hipStream_t stream) {
  if (out == nullptr) return hipErrorInvalidValue;
  if (!valid_stream(stream)) return hipErrorInvalidHandle;
  *out = nullptr;
  if (bytes == 0) return hipSuccess;
  Locked lock(pools->mutex);
  if (pool == nullptr) pool = pools->current;
  if (!valid_pool(pool)) return hipErrorInvalidValue;
  if (pool->max_bytes != 0 && (bytes > pool->max_bytes || pool->used > pool->max_bytes - bytes))
    return hipErrorOutOfMemory;
  void* buffer = allocate(bytes, MemoryKind::device);
  if (buffer == nullptr) return hipErrorOutOfMemory;
  pools->buffers[buffer] = {pool, bytes};
  pool->used += bytes;
  if (pool->used > pool->used_high) pool->used_high = pool->used;
  *out = buffer;
  return hipSuccess;
}

int reuse_index(hipMemPoolAttr attribute) {
  return attribute - hipMemPoolReuseFollowEventDependencies;
}

hipError_t get_attribute(const ihipMemPoolHandle_t& pool, hipMemPoolAttr attribute, void* value) {
  auto* wide = static_cast<uint64_t*>(value);
  switch (attribute) {
    case hipMemPoolReuseFollowEventDependencies:
    case hipMemPoolReuseAllowOpportunistic:
    case hipMemPoolReuseAllowInternalDependencies:
      *static_cast<int*>(value) = pool.reuse[reuse_index(attribute)];
      return hipSuccess;
    case hipMemPoolAttrReleaseThreshold:
      *wide = pool.release_threshold;
      return hipSuccess;
    case hipMemPoolAttrReservedMemCurrent:
    case hipMemPoolAttrUsedMemCurrent:
      *wide = pool.used;
      return hipSuccess;
    case hipMemPoolAttrReservedMemHigh:
    case hipMemPoolAttrUsedMemHigh:
      *wide = pool.used_high;
      return hipSuccess;
  }
  return hipErrorInvalidValue;
}

hipError_t set_attribute(ihipMemPoolHandle_t* pool, hipMemPoolAttr attribute, const void* value) {
  switch (attribute) {
    case hipMemPoolReuseFollowEventDependencies:
    case hipMemPoolReuseAllowOpportunistic:
    case hipMemPoolReuseAllowInternalDependencies:
      pool->reuse[reuse_index(attribute)] = *static_cast<const int*>(value);
      return hipSuccess;
    case hipMemPoolAttrReleaseThreshold:
      pool->release_threshold = *static_cast<const uint64_t*>(value);
      return hipSuccess;
    case hipMemPoolAttrReservedMemHigh:
    case hipMemPoolAttrUsedMemHigh:
      if (*static_cast<const uint64_t*>(value) != 0) return hipErrorInvalidValue;
      pool->used_high = pool->used;  // the mark can only be reset
      return hipSuccess;
    default:
      return hipErrorInvalidValue;
  }
}

bool is_device(const hipMemLocation& location) {
  return location.type == hipMemLocationTypeDevice && valid_device(location.id);
}

}  // namespace

void forget_pooled(const void* pointer) {
  Locked lock(pools->mutex);
  auto found = pools->buffers.find(pointer);
  if (found == pools->buffers.end()) return;
  found->second.pool->used -= found->second.bytes;
  pools->buffers.erase(found);
}

void forget_all_pooled() {
  Locked lock(pools->mutex);
  for (ihipMemPoolHandle_t* pool : pools->live) pool->used = 0;
  pools->buffers.clear();
}

}  // namespace hipaudit

using hipaudit::Locked;
using hipaudit::pools;
using hipaudit::set_error;
using hipaudit::valid_device;

HIPAUDIT_EXPORT hipError_t hipMallocAsync(void** pointer, size_t bytes, hipStream_t stream) {
  return set_error(hipaudit::allocate_from(pointer, bytes, nullptr, stream));
}

HIPAUDIT_EXPORT hipError_t hipMallocFromPoolAsync(void** pointer, size_t bytes, hipMemPool_t pool,
                                                  hipStream_t stream) {
  if (pool == nullptr) return set_error(hipErrorInvalidValue);
  return set_error(hipaudit::allocate_from(pointer, bytes, pool, stream));
}

HIPAUDIT_EXPORT hipError_t hipFreeAsync(void* pointer, hipStream_t stream) {
  if (pointer == nullptr) return set_error(hipErrorInvalidValue);
  if (!hipaudit::valid_stream(stream)) return set_error(hipErrorInvalidHandle);
  hipaudit::forget_pooled(pointer);
  return set_error(hipaudit::release(pointer) ? hipSuccess : hipErrorInvalidValue);
}

HIPAUDIT_EXPORT hipError_t hipMemPoolCreate(hipMemPool_t* pool, const hipMemPoolProps* properties) {
  if (pool == nullptr || properties == nullptr) return set_error(hipErrorInvalidValue);
  if (properties->allocType != hipMemAllocationTypePinned) return set_error(hipErrorInvalidValue);
  if (!hipaudit::is_device(properties->location)) return set_error(hipErrorInvalidValue);
  if (properties->handleTypes != hipMemHandleTypeNone) return set_error(hipErrorNotSupported);
  auto* made = new ihipMemPoolHandle_t;
  made->max_bytes = properties->maxSize;
  Locked lock(pools->mutex);
  pools->live.insert(made);
  *pool = made;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipMemPoolDestroy(hipMemPool_t pool) {
  Locked lock(pools->mutex);
  if (pool == &pools->standard || pools->live.erase(pool) == 0)
    return set_error(hipErrorInvalidValue);
  if (pools->current == pool) pools->current = &pools->standard;
  for (auto entry = pools->buffers.begin(); entry != pools->buffers.end();)
    entry = entry->second.pool == pool ? pools->buffers.erase(entry) : std::next(entry);
  delete pool;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipMemPoolTrimTo(hipMemPool_t pool, size_t) {
  Locked lock(pools->mutex);
  return set_error(hipaudit::valid_pool(pool) ? hipSuccess : hipErrorInvalidValue);
}

HIPAUDIT_EXPORT hipError_t hipMemPoolGetAttribute(hipMemPool_t pool, hipMemPoolAttr attribute,
                                                  void* value) {
  Locked lock(pools->mutex);
  if (value == nullptr || !hipaudit::valid_pool(pool)) return set_error(hipErrorInvalidValue);
  return set_error(hipaudit::get_attribute(*pool, attribute, value));
}

HIPAUDIT_EXPORT hipError_t hipMemPoolSetAttribute(hipMemPool_t pool, hipMemPoolAttr attribute,
                                                  void* value) {
  Locked lock(pools->mutex);
  if (value == nullptr || !hipaudit::valid_pool(pool)) return set_error(hipErrorInvalidValue);
  return set_error(hipaudit::set_attribute(pool, attribute, value));
}

HIPAUDIT_EXPORT hipError_t hipMemPoolSetAccess(hipMemPool_t pool, const hipMemAccessDesc* access,
                                               size_t count) {
  Locked lock(pools->mutex);
  if (access == nullptr || !hipaudit::valid_pool(pool)) return set_error(hipErrorInvalidValue);
  for (size_t i = 0; i < count; ++i) {
    // The device that owns the pool's memory cannot lose its access.
    if (!hipaudit::is_device(access[i].location)) return set_error(hipErrorInvalidDevice);
    if (access[i].flags != hipMemAccessFlagsProtReadWrite) return set_error(hipErrorInvalidValue);
  }
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipMemPoolGetAccess(hipMemAccessFlags* flags, hipMemPool_t pool,
                                               hipMemLocation* location) {
  Locked lock(pools->mutex);
  if (flags == nullptr || location == nullptr || !hipaudit::valid_pool(pool))
    return set_error(hipErrorInvalidValue);
  if (!hipaudit::is_device(*location)) return set_error(hipErrorInvalidDevice);
  *flags = hipMemAccessFlagsProtReadWrite;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceGetDefaultMemPool(hipMemPool_t* pool, int device) {
  if (pool == nullptr) return set_error(hipErrorInvalidValue);
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  *pool = &pools->standard;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceGetMemPool(hipMemPool_t* pool, int device) {
  if (pool == nullptr) return set_error(hipErrorInvalidValue);
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  Locked lock(pools->mutex);
  *pool = pools->current;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDeviceSetMemPool(int device, hipMemPool_t pool) {
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  Locked lock(pools->mutex);
  if (!hipaudit::valid_pool(pool)) return set_error(hipErrorInvalidValue);
  pools->current = pool;
  return set_error(hipSuccess);
}
