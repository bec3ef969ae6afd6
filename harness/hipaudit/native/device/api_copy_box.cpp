// Copies of rectangles and boxes. Arrays (texture memory) are not emulated: a copy from or to one
// is refused as not supported.
#include "../include/hip/hip_runtime_api.h"
#include "copy.h"
#include "error.h"
#include "export.h"

namespace hipaudit {
namespace {

uintptr_t address_of(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

hipError_t copy_rectangle(Copy copy, void* destination, size_t destination_pitch,
                          const void* source, size_t source_pitch, size_t width, size_t height) {
  copy.destination = {address_of(destination), destination_pitch, 0};
  copy.source = {address_of(source), source_pitch, 0};
  copy.size = {width, height, 1};
  if (width > destination_pitch || width > source_pitch) return hipErrorInvalidPitchValue;
  return run_copy(copy);
}

// A pitched pointer's slices lie ysize rows apart; positions and widths count bytes without arrays.
Layout pitched_layout(const hipPitchedPtr& pitched, const hipPos& position) {
  size_t slice = pitched.pitch * pitched.ysize;
  size_t offset = position.z * slice + position.y * pitched.pitch + position.x;
  return {address_of(pitched.ptr) + offset, pitched.pitch, slice};
}

hipError_t copy_box(Copy copy, const hipMemcpy3DParms* p) {
  if (p == nullptr) return hipErrorInvalidValue;
  if (p->srcArray != nullptr || p->dstArray != nullptr) return hipErrorNotSupported;
  if (p->srcPtr.ptr == nullptr || p->dstPtr.ptr == nullptr) return hipErrorInvalidValue;
  copy.destination = pitched_layout(p->dstPtr, p->dstPos);
  copy.source = pitched_layout(p->srcPtr, p->srcPos);
  copy.size = {p->extent.width, p->extent.height, p->extent.depth};
  copy.kind = p->kind;
  return run_copy(copy);
}

// The driver's descriptions name a type of memory for each side and not one direction.
bool is_host(hipMemoryType type) { return type == hipMemoryTypeHost; }

hipMemcpyKind kind_of(hipMemoryType destination, hipMemoryType source) {
  if (destination == hipMemoryTypeUnified || source == hipMemoryTypeUnified)
    return hipMemcpyDefault;
  if (is_host(source)) return is_host(destination) ? hipMemcpyHostToHost : hipMemcpyHostToDevice;
  return is_host(destination) ? hipMemcpyDeviceToHost : hipMemcpyDeviceToDevice;
}

bool uses_array(hipMemoryType destination, hipMemoryType source) {
  return destination == hipMemoryTypeArray || source == hipMemoryTypeArray;
}

hipError_t copy_parameters(Copy copy, const hip_Memcpy2D* p) {
  if (p == nullptr) return hipErrorInvalidValue;
  if (uses_array(p->dstMemoryType, p->srcMemoryType)) return hipErrorNotSupported;
  const void* source = is_host(p->srcMemoryType) ? p->srcHost : p->srcDevice;
  const void* destination = is_host(p->dstMemoryType) ? p->dstHost : p->dstDevice;
  size_t source_pitch = p->srcPitch != 0 ? p->srcPitch : p->WidthInBytes;
  size_t destination_pitch = p->dstPitch != 0 ? p->dstPitch : p->WidthInBytes;
  if (source == nullptr || destination == nullptr) return hipErrorInvalidValue;
  copy.source = {address_of(source) + p->srcY * source_pitch + p->srcXInBytes, source_pitch, 0};
  copy.destination = {address_of(destination) + p->dstY * destination_pitch + p->dstXInBytes,
                      destination_pitch, 0};
  copy.size = {p->WidthInBytes, p->Height, 1};
  copy.kind = kind_of(p->dstMemoryType, p->srcMemoryType);
  return run_copy(copy);
}

struct DriverSide {
  const void* start;
  size_t x, y, z, pitch, height;
};

Layout driver_layout(const DriverSide& side, const BoxSize& size) {
  size_t pitch = side.pitch != 0 ? side.pitch : size.width;
  size_t slice = pitch * (side.height != 0 ? side.height : size.height);
  return {address_of(side.start) + side.z * slice + side.y * pitch + side.x, pitch, slice};
}

hipError_t copy_parameters(Copy copy, const HIP_MEMCPY3D* p) {
  if (p == nullptr) return hipErrorInvalidValue;
  if (uses_array(p->dstMemoryType, p->srcMemoryType)) return hipErrorNotSupported;
  DriverSide source = {is_host(p->srcMemoryType) ? p->srcHost : p->srcDevice,
                       p->srcXInBytes,
                       p->srcY,
                       p->srcZ,
                       p->srcPitch,
                       p->srcHeight};
  DriverSide destination = {is_host(p->dstMemoryType) ? p->dstHost : p->dstDevice,
                            p->dstXInBytes,
                            p->dstY,
                            p->dstZ,
                            p->dstPitch,
                            p->dstHeight};
  if (source.start == nullptr || destination.start == nullptr) return hipErrorInvalidValue;
  copy.size = {p->WidthInBytes, p->Height, p->Depth};
  copy.source = driver_layout(source, copy.size);
  copy.destination = driver_layout(destination, copy.size);
  copy.kind = kind_of(p->dstMemoryType, p->srcMemoryType);
  return run_copy(copy);
}

Copy named(const char* call) {
  Copy copy;
  copy.call = call;
  return copy;
}

Copy named_async(const char* call, hipStream_t stream) {
  Copy copy = named(call);
  copy.stream = stream;
  copy.synchronous = false;
  return copy;
}

}  // namespace
}  // namespace hipaudit

using hipaudit::Copy;
using hipaudit::named;
using hipaudit::named_async;
using hipaudit::set_error;

HIPAUDIT_EXPORT hipError_t hipMemcpy2D(void* destination, size_t destination_pitch,
                                       const void* source, size_t source_pitch, size_t width,
                                       size_t height, hipMemcpyKind kind) {
  Copy copy = named("hipMemcpy2D");
  copy.kind = kind;
  return set_error(hipaudit::copy_rectangle(copy, destination, destination_pitch, source,
                                            source_pitch, width, height));
}

HIPAUDIT_EXPORT hipError_t hipMemcpy2DAsync(void* destination, size_t destination_pitch,
                                            const void* source, size_t source_pitch, size_t width,
                                            size_t height, hipMemcpyKind kind, hipStream_t stream) {
  Copy copy = named_async("hipMemcpy2DAsync", stream);
  copy.kind = kind;
  return set_error(hipaudit::copy_rectangle(copy, destination, destination_pitch, source,
                                            source_pitch, width, height));
}

HIPAUDIT_EXPORT hipError_t hipMemcpyParam2D(const hip_Memcpy2D* parameters) {
  return set_error(hipaudit::copy_parameters(named("hipMemcpyParam2D"), parameters));
}

HIPAUDIT_EXPORT hipError_t hipMemcpyParam2DAsync(const hip_Memcpy2D* parameters,
                                                 hipStream_t stream) {
  return set_error(
      hipaudit::copy_parameters(named_async("hipMemcpyParam2DAsync", stream), parameters));
}

HIPAUDIT_EXPORT hipError_t hipDrvMemcpy2DUnaligned(const hip_Memcpy2D* parameters) {
  return set_error(hipaudit::copy_parameters(named("hipDrvMemcpy2DUnaligned"), parameters));
}

HIPAUDIT_EXPORT hipError_t hipMemcpy3D(const hipMemcpy3DParms* parameters) {
  return set_error(hipaudit::copy_box(named("hipMemcpy3D"), parameters));
}

HIPAUDIT_EXPORT hipError_t hipMemcpy3DAsync(const hipMemcpy3DParms* parameters,
                                            hipStream_t stream) {
  return set_error(hipaudit::copy_box(named_async("hipMemcpy3DAsync", stream), parameters));
}

HIPAUDIT_EXPORT hipError_t hipDrvMemcpy3D(const HIP_MEMCPY3D* parameters) {
  return set_error(hipaudit::copy_parameters(named("hipDrvMemcpy3D"), parameters));
}

HIPAUDIT_EXPORT hipError_t hipDrvMemcpy3DAsync(const HIP_MEMCPY3D* parameters, hipStream_t stream) {
  return set_error(
      hipaudit::copy_parameters(named_async("hipDrvMemcpy3DAsync", stream), parameters));
}
