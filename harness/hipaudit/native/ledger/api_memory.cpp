// Allocation and release of memory of every kind.
#include "../device/export.h"
#include "below.h"
#include "errors.h"
#include "handles.h"
#include "ledger.h"
#include "options.h"
#include "zones.h"

namespace hipaudit::ledger {
namespace {

constexpr Kinds kFreeable = only(Kind::device) | only(Kind::async) | only(Kind::pool) |
                            only(Kind::pitched) | only(Kind::extended) | only(Kind::managed);
constexpr Kinds kStreamOrdered = only(Kind::async) | only(Kind::pool);

uint64_t number(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

// A null pointer that is used later is told from others by the allocation that gave it.
void note_outcome(const Call& call, hipError_t status) {
  call.thread->failed_call = status == hipSuccess ? nullptr : call.name;
  call.thread->failed_stack = call.stack;
}

// An allocation of `size` bytes whose address `forward` leaves in *out.
template <typename Forward>
hipError_t allocate(const char* name, Kind kind, void** out, uint64_t size, Forward forward) {
  Call call(name);
  if (!call.tracked) return forward();
  hipError_t status = refuses(size) ? hipErrorOutOfMemory : forward();
  note_outcome(call, status);
  if (status == hipSuccess && out != nullptr && *out != nullptr)
    enter(call, {kind, number(*out), size});
  return ended(call, status);
}

// A call that frees memory and, as HIP says of hipFree and hipHostFree, waits for the device
// before.
template <typename Forward>
hipError_t release(const char* name, void* pointer, Kinds accepted, Forward forward) {
  Call call(name);
  if (!call.tracked || pointer == nullptr) return forward();
  Death death{call, number(pointer), accepted};
  death.waits = true;
  return end_life(death, forward, refuse);
}

// An allocation that is there for what comes after it in a stream.
template <typename Forward>
hipError_t allocate_in(const char* name, Kind kind, void** out, uint64_t size, hipStream_t stream,
                       Forward forward) {
  Call call(name);
  if (!call.tracked) return forward();
  if (is_over(call, stream)) return refuse_handle();
  hipError_t status = refuses(size) ? hipErrorOutOfMemory : forward();
  note_outcome(call, status);
  if (status != hipSuccess || out == nullptr || *out == nullptr) return ended(call, status);
  Birth birth{kind, number(*out), size};
  birth.ordered = true;
  birth.stream = stream;
  enter(call, birth);
  return status;
}

bool guarded() { return options.red_zone.load(std::memory_order_relaxed) != 0; }

uint64_t rows(const size_t* pitch, uint64_t height) {
  return pitch != nullptr ? *pitch * height : 0;
}

}  // namespace

// The functions are HIP's own, whatever namespace they are written in.

HIPAUDIT_EXPORT hipError_t hipMalloc(void** pointer, size_t size) {
  static constinit Below<decltype(hipMalloc)> below("hipMalloc");
  if (!guarded()) {
    return allocate("hipMalloc", Kind::device, pointer, size, [&] { return below(pointer, size); });
  }
  Call call("hipMalloc");
  if (!call.tracked) return below(pointer, size);
  hipError_t status = refuses(size) ? hipErrorOutOfMemory : allocate_guarded(call, pointer, size);
  note_outcome(call, status);
  return ended(call, status);
}

HIPAUDIT_EXPORT hipError_t hipExtMallocWithFlags(void** pointer, size_t size, unsigned int flags) {
  static constinit Below<decltype(hipExtMallocWithFlags)> below("hipExtMallocWithFlags");
  return allocate("hipExtMallocWithFlags", Kind::extended, pointer, size,
                  [&] { return below(pointer, size, flags); });
}

HIPAUDIT_EXPORT hipError_t hipMallocManaged(void** pointer, size_t size, unsigned int flags) {
  static constinit Below<decltype(hipMallocManaged)> below("hipMallocManaged");
  return allocate("hipMallocManaged", Kind::managed, pointer, size,
                  [&] { return below(pointer, size, flags); });
}

HIPAUDIT_EXPORT hipError_t hipMallocPitch(void** pointer, size_t* pitch, size_t width,
                                          size_t height) {
  static constinit Below<decltype(hipMallocPitch)> below("hipMallocPitch");
  Call call("hipMallocPitch");
  if (call.tracked && refuses(width * height)) return hipErrorOutOfMemory;
  hipError_t status = below(pointer, pitch, width, height);
  if (call.tracked && status == hipSuccess && pointer != nullptr && *pointer != nullptr)
    enter(call, {Kind::pitched, number(*pointer), rows(pitch, height)});
  return ended(call, status);
}

HIPAUDIT_EXPORT hipError_t hipMemAllocPitch(hipDeviceptr_t* pointer, size_t* pitch, size_t width,
                                            size_t height, unsigned int element_bytes) {
  static constinit Below<decltype(hipMemAllocPitch)> below("hipMemAllocPitch");
  Call call("hipMemAllocPitch");
  if (call.tracked && refuses(width * height)) return hipErrorOutOfMemory;
  hipError_t status = below(pointer, pitch, width, height, element_bytes);
  if (call.tracked && status == hipSuccess && pointer != nullptr && *pointer != nullptr)
    enter(call, {Kind::pitched, number(*pointer), rows(pitch, height)});
  return ended(call, status);
}

HIPAUDIT_EXPORT hipError_t hipMalloc3D(hipPitchedPtr* pitched, hipExtent extent) {
  static constinit Below<decltype(hipMalloc3D)> below("hipMalloc3D");
  Call call("hipMalloc3D");
  if (call.tracked && refuses(extent.width * extent.height * extent.depth))
    return hipErrorOutOfMemory;
  hipError_t status = below(pitched, extent);
  if (call.tracked && status == hipSuccess && pitched != nullptr && pitched->ptr != nullptr)
    enter(call, {Kind::pitched, number(pitched->ptr),
                 rows(&pitched->pitch, extent.height * extent.depth)});
  return ended(call, status);
}

HIPAUDIT_EXPORT hipError_t hipHostMalloc(void** pointer, size_t size, unsigned int flags) {
  static constinit Below<decltype(hipHostMalloc)> below("hipHostMalloc");
  return allocate("hipHostMalloc", Kind::host, pointer, size,
                  [&] { return below(pointer, size, flags); });
}

HIPAUDIT_EXPORT hipError_t hipHostAlloc(void** pointer, size_t size, unsigned int flags) {
  static constinit Below<decltype(hipHostAlloc)> below("hipHostAlloc");
  return allocate("hipHostAlloc", Kind::host, pointer, size,
                  [&] { return below(pointer, size, flags); });
}

HIPAUDIT_EXPORT hipError_t hipMallocHost(void** pointer, size_t size) {
  static constinit Below<decltype(hipMallocHost)> below("hipMallocHost");
  return allocate("hipMallocHost", Kind::host, pointer, size, [&] { return below(pointer, size); });
}

HIPAUDIT_EXPORT hipError_t hipMemAllocHost(void** pointer, size_t size) {
  static constinit Below<decltype(hipMemAllocHost)> below("hipMemAllocHost");
  return allocate("hipMemAllocHost", Kind::host, pointer, size,
                  [&] { return below(pointer, size); });
}

HIPAUDIT_EXPORT hipError_t hipHostRegister(void* pointer, size_t size, unsigned int flags) {
  static constinit Below<decltype(hipHostRegister)> below("hipHostRegister");
  return allocate("hipHostRegister", Kind::registered, &pointer, size,
                  [&] { return below(pointer, size, flags); });
}

HIPAUDIT_EXPORT hipError_t hipMallocAsync(void** pointer, size_t size, hipStream_t stream) {
  static constinit Below<decltype(hipMallocAsync)> below("hipMallocAsync");
  return allocate_in("hipMallocAsync", Kind::async, pointer, size, stream,
                     [&] { return below(pointer, size, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMallocFromPoolAsync(void** pointer, size_t size, hipMemPool_t pool,
                                                  hipStream_t stream) {
  static constinit Below<decltype(hipMallocFromPoolAsync)> below("hipMallocFromPoolAsync");
  return allocate_in("hipMallocFromPoolAsync", Kind::pool, pointer, size, stream,
                     [&] { return below(pointer, size, pool, stream); });
}

HIPAUDIT_EXPORT hipError_t hipIpcOpenMemHandle(void** pointer, hipIpcMemHandle_t handle,
                                               unsigned int flags) {
  static constinit Below<decltype(hipIpcOpenMemHandle)> below("hipIpcOpenMemHandle");
  return allocate("hipIpcOpenMemHandle", Kind::ipc, pointer, 1,
                  [&] { return below(pointer, handle, flags); });
}

HIPAUDIT_EXPORT hipError_t hipFree(void* pointer) {
  static constinit Below<decltype(hipFree)> below("hipFree");
  Call call("hipFree");
  if (!call.tracked || pointer == nullptr) return below(pointer);
  Death death{call, number(pointer), kFreeable};
  death.waits = true;
  return end_life(death, [&] { return below(pointer); }, refuse);
}

// The library below knows a guarded allocation by its zones as well.
HIPAUDIT_EXPORT hipError_t hipMemGetAddressRange(void** base, size_t* size, void* pointer) {
  static constinit Below<decltype(hipMemGetAddressRange)> below("hipMemGetAddressRange");
  hipError_t status = below(base, size, pointer);
  if (status != hipSuccess || !tracking()) return status;
  Locked lock(ledger().mutex);
  const Record* record = ledger().records.find_holder(number(pointer));
  if (record == nullptr || !record->live || record->zone == 0) return status;
  if (base != nullptr) *base = reinterpret_cast<void*>(record->address);
  if (size != nullptr) *size = record->size;
  return status;
}

HIPAUDIT_EXPORT hipError_t hipMemPtrGetInfo(void* pointer, size_t* size) {
  static constinit Below<decltype(hipMemPtrGetInfo)> below("hipMemPtrGetInfo");
  hipError_t status = below(pointer, size);
  if (status != hipSuccess || size == nullptr || !tracking()) return status;
  Locked lock(ledger().mutex);
  const Record* record = ledger().records.find_memory(number(pointer));
  if (record != nullptr && record->live && record->zone != 0) *size = record->size;
  return status;
}

HIPAUDIT_EXPORT hipError_t hipFreeAsync(void* pointer, hipStream_t stream) {
  static constinit Below<decltype(hipFreeAsync)> below("hipFreeAsync");
  Call call("hipFreeAsync");
  if (!call.tracked || pointer == nullptr) return below(pointer, stream);
  if (is_over(call, stream)) return refuse_handle();
  Death death{call, number(pointer), kStreamOrdered};
  death.ordered = true;
  death.stream = stream;
  return end_life(death, [&] { return below(pointer, stream); }, refuse);
}

HIPAUDIT_EXPORT hipError_t hipHostFree(void* pointer) {
  static constinit Below<decltype(hipHostFree)> below("hipHostFree");
  return release("hipHostFree", pointer, only(Kind::host), [&] { return below(pointer); });
}

HIPAUDIT_EXPORT hipError_t hipFreeHost(void* pointer) {
  static constinit Below<decltype(hipFreeHost)> below("hipFreeHost");
  return release("hipFreeHost", pointer, only(Kind::host), [&] { return below(pointer); });
}

HIPAUDIT_EXPORT hipError_t hipHostUnregister(void* pointer) {
  static constinit Below<decltype(hipHostUnregister)> below("hipHostUnregister");
  Call call("hipHostUnregister");
  if (!call.tracked || pointer == nullptr) return below(pointer);
  return end_life(
      {call, number(pointer), only(Kind::registered)}, [&] { return below(pointer); },
      [&] { return below(nullptr); });
}

HIPAUDIT_EXPORT hipError_t hipIpcCloseMemHandle(void* pointer) {
  static constinit Below<decltype(hipIpcCloseMemHandle)> below("hipIpcCloseMemHandle");
  return release("hipIpcCloseMemHandle", pointer, only(Kind::ipc), [&] { return below(pointer); });
}

}  // namespace hipaudit::ledger
