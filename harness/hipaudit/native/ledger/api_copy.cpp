// Copies and fills of every form.
#include "../device/export.h"
#include "below.h"
#include "copies.h"

namespace hipaudit::ledger {
namespace {

Copy copy_of(void* to, const void* from, uint64_t bytes, hipMemcpyKind kind) {
  Copy copy;
  copy.destination = line(to, bytes);
  copy.source = line(from, bytes);
  copy.bytes = bytes;
  copy.kind = kind;
  copy.returns_early = true;
  return copy;
}

Copy in(hipStream_t stream, Copy copy) {
  copy.async = true;
  copy.stream = stream;
  return copy;
}

Copy fill_of(void* to, uint64_t bytes) {
  Copy copy;
  copy.destination = line(to, bytes);
  copy.bytes = bytes;
  copy.fill = true;
  return copy;
}

Copy rectangle(void* to, uint64_t to_pitch, const void* from, uint64_t from_pitch, uint64_t width,
               uint64_t height, hipMemcpyKind kind) {
  hipExtent extent{width, height, 1};
  Copy copy;
  copy.destination = box(to, to_pitch, 0, extent);
  copy.source = box(from, from_pitch, 0, extent);
  copy.bytes = width * height;
  copy.kind = kind;
  copy.returns_early = true;
  return copy;
}

Side corner(const hipPitchedPtr& memory, hipArray_t array, const hipPos& at,
            const hipExtent& extent) {
  if (array != nullptr) return {nullptr, 0, 0, true};
  if (memory.ptr == nullptr) return {};
  uint64_t slice = memory.pitch * memory.ysize;
  const char* start = static_cast<const char*>(memory.ptr) + at.z * slice + at.y * memory.pitch;
  return box(start + at.x, memory.pitch, slice, extent);
}

Copy copy_of(const hipMemcpy3DParms* p) {
  Copy copy;
  if (p == nullptr) return copy;
  // Widths count an array's elements where one takes part: how wide those are is not known here.
  copy.destination = corner(p->dstPtr, p->dstArray, p->dstPos, p->extent);
  copy.source = corner(p->srcPtr, p->srcArray, p->srcPos, p->extent);
  copy.bytes = p->extent.width * p->extent.height * p->extent.depth;
  copy.kind = p->kind;
  copy.returns_early = true;
  return copy;
}

const void* base_of(hipMemoryType type, const void* host, hipDeviceptr_t device) {
  return type == hipMemoryTypeHost ? host : device;
}

Side corner(const void* base, uint64_t x, uint64_t y, uint64_t z, uint64_t pitch, uint64_t height,
            const hipExtent& extent) {
  if (base == nullptr) return {};
  if (pitch == 0) pitch = extent.width;
  uint64_t slice = pitch * (height != 0 ? height : extent.height);
  return box(static_cast<const char*>(base) + z * slice + y * pitch + x, pitch, slice, extent);
}

Copy copy_of(const hip_Memcpy2D* p) {
  Copy copy;
  if (p == nullptr) return copy;
  hipExtent extent{p->WidthInBytes, p->Height, 1};
  copy.bytes = p->WidthInBytes * p->Height;
  copy.returns_early = true;
  copy.destination = corner(base_of(p->dstMemoryType, p->dstHost, p->dstDevice), p->dstXInBytes,
                            p->dstY, 0, p->dstPitch, 0, extent);
  copy.source = corner(base_of(p->srcMemoryType, p->srcHost, p->srcDevice), p->srcXInBytes, p->srcY,
                       0, p->srcPitch, 0, extent);
  if (p->dstMemoryType == hipMemoryTypeArray) copy.destination = {nullptr, 0, 0, true};
  if (p->srcMemoryType == hipMemoryTypeArray) copy.source = {nullptr, 0, 0, true};
  return copy;
}

Copy copy_of(const HIP_MEMCPY3D* p) {
  Copy copy;
  if (p == nullptr) return copy;
  hipExtent extent{p->WidthInBytes, p->Height, p->Depth};
  copy.bytes = p->WidthInBytes * p->Height * p->Depth;
  copy.returns_early = true;
  copy.destination = corner(base_of(p->dstMemoryType, p->dstHost, p->dstDevice), p->dstXInBytes,
                            p->dstY, p->dstZ, p->dstPitch, p->dstHeight, extent);
  copy.source = corner(base_of(p->srcMemoryType, p->srcHost, p->srcDevice), p->srcXInBytes, p->srcY,
                       p->srcZ, p->srcPitch, p->srcHeight, extent);
  if (p->dstMemoryType == hipMemoryTypeArray) copy.destination = {nullptr, 0, 0, true};
  if (p->srcMemoryType == hipMemoryTypeArray) copy.source = {nullptr, 0, 0, true};
  return copy;
}

Copy fill_box(const hipPitchedPtr& memory, const hipExtent& extent) {
  Copy copy;
  copy.destination = corner(memory, nullptr, hipPos{0, 0, 0}, extent);
  copy.bytes = extent.width * extent.height * extent.depth;
  copy.fill = true;
  return copy;
}

Copy fill_rectangle(void* to, uint64_t pitch, uint64_t width, uint64_t height) {
  Copy copy;
  copy.destination = box(to, pitch, 0, hipExtent{width, height, 1});
  copy.bytes = width * height;
  copy.fill = true;
  return copy;
}

Copy waited_for(Copy copy, hipStream_t stream) {
  copy.stream = stream;
  copy.returns_early = false;
  return copy;
}

}  // namespace

HIPAUDIT_EXPORT hipError_t hipMemcpy(void* to, const void* from, size_t bytes, hipMemcpyKind kind) {
  static constinit Below<decltype(hipMemcpy)> below("hipMemcpy");
  return run_copy("hipMemcpy", copy_of(to, from, bytes, kind),
                  [&] { return below(to, from, bytes, kind); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyAsync(void* to, const void* from, size_t bytes,
                                          hipMemcpyKind kind, hipStream_t stream) {
  static constinit Below<decltype(hipMemcpyAsync)> below("hipMemcpyAsync");
  return run_copy("hipMemcpyAsync", in(stream, copy_of(to, from, bytes, kind)),
                  [&] { return below(to, from, bytes, kind, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyWithStream(void* to, const void* from, size_t bytes,
                                               hipMemcpyKind kind, hipStream_t stream) {
  static constinit Below<decltype(hipMemcpyWithStream)> below("hipMemcpyWithStream");
  return run_copy("hipMemcpyWithStream", waited_for(copy_of(to, from, bytes, kind), stream),
                  [&] { return below(to, from, bytes, kind, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyHtoD(void* to, const void* from, size_t bytes) {
  static constinit Below<decltype(hipMemcpyHtoD)> below("hipMemcpyHtoD");
  return run_copy("hipMemcpyHtoD", copy_of(to, from, bytes, hipMemcpyHostToDevice),
                  [&] { return below(to, from, bytes); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyDtoH(void* to, void* from, size_t bytes) {
  static constinit Below<decltype(hipMemcpyDtoH)> below("hipMemcpyDtoH");
  return run_copy("hipMemcpyDtoH", copy_of(to, from, bytes, hipMemcpyDeviceToHost),
                  [&] { return below(to, from, bytes); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyDtoD(void* to, void* from, size_t bytes) {
  static constinit Below<decltype(hipMemcpyDtoD)> below("hipMemcpyDtoD");
  return run_copy("hipMemcpyDtoD", copy_of(to, from, bytes, hipMemcpyDeviceToDevice),
                  [&] { return below(to, from, bytes); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyHtoDAsync(void* to, const void* from, size_t bytes,
                                              hipStream_t stream) {
  static constinit Below<decltype(hipMemcpyHtoDAsync)> below("hipMemcpyHtoDAsync");
  return run_copy("hipMemcpyHtoDAsync", in(stream, copy_of(to, from, bytes, hipMemcpyHostToDevice)),
                  [&] { return below(to, from, bytes, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyDtoHAsync(void* to, void* from, size_t bytes,
                                              hipStream_t stream) {
  static constinit Below<decltype(hipMemcpyDtoHAsync)> below("hipMemcpyDtoHAsync");
  return run_copy("hipMemcpyDtoHAsync", in(stream, copy_of(to, from, bytes, hipMemcpyDeviceToHost)),
                  [&] { return below(to, from, bytes, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyDtoDAsync(void* to, void* from, size_t bytes,
                                              hipStream_t stream) {
  static constinit Below<decltype(hipMemcpyDtoDAsync)> below("hipMemcpyDtoDAsync");
  return run_copy("hipMemcpyDtoDAsync",
                  in(stream, copy_of(to, from, bytes, hipMemcpyDeviceToDevice)),
                  [&] { return below(to, from, bytes, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyPeer(void* to, int to_device, const void* from, int from_device,
                                         size_t bytes) {
  static constinit Below<decltype(hipMemcpyPeer)> below("hipMemcpyPeer");
  return run_copy("hipMemcpyPeer",
                  waited_for(copy_of(to, from, bytes, hipMemcpyDeviceToDevice), nullptr),
                  [&] { return below(to, to_device, from, from_device, bytes); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyPeerAsync(void* to, int to_device, const void* from,
                                              int from_device, size_t bytes, hipStream_t stream) {
  static constinit Below<decltype(hipMemcpyPeerAsync)> below("hipMemcpyPeerAsync");
  return run_copy("hipMemcpyPeerAsync",
                  in(stream, copy_of(to, from, bytes, hipMemcpyDeviceToDevice)),
                  [&] { return below(to, to_device, from, from_device, bytes, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpy2D(void* to, size_t to_pitch, const void* from,
                                       size_t from_pitch, size_t width, size_t height,
                                       hipMemcpyKind kind) {
  static constinit Below<decltype(hipMemcpy2D)> below("hipMemcpy2D");
  return run_copy("hipMemcpy2D", rectangle(to, to_pitch, from, from_pitch, width, height, kind),
                  [&] { return below(to, to_pitch, from, from_pitch, width, height, kind); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpy2DAsync(void* to, size_t to_pitch, const void* from,
                                            size_t from_pitch, size_t width, size_t height,
                                            hipMemcpyKind kind, hipStream_t stream) {
  static constinit Below<decltype(hipMemcpy2DAsync)> below("hipMemcpy2DAsync");
  return run_copy("hipMemcpy2DAsync",
                  in(stream, rectangle(to, to_pitch, from, from_pitch, width, height, kind)), [&] {
                    return below(to, to_pitch, from, from_pitch, width, height, kind, stream);
                  });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyParam2D(const hip_Memcpy2D* copy) {
  static constinit Below<decltype(hipMemcpyParam2D)> below("hipMemcpyParam2D");
  return run_copy("hipMemcpyParam2D", copy_of(copy), [&] { return below(copy); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpyParam2DAsync(const hip_Memcpy2D* copy, hipStream_t stream) {
  static constinit Below<decltype(hipMemcpyParam2DAsync)> below("hipMemcpyParam2DAsync");
  return run_copy("hipMemcpyParam2DAsync", in(stream, copy_of(copy)),
                  [&] { return below(copy, stream); });
}

HIPAUDIT_EXPORT hipError_t hipDrvMemcpy2DUnaligned(const hip_Memcpy2D* copy) {
  static constinit Below<decltype(hipDrvMemcpy2DUnaligned)> below("hipDrvMemcpy2DUnaligned");
  return run_copy("hipDrvMemcpy2DUnaligned", copy_of(copy), [&] { return below(copy); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpy3D(const hipMemcpy3DParms* copy) {
  static constinit Below<decltype(hipMemcpy3D)> below("hipMemcpy3D");
  return run_copy("hipMemcpy3D", copy_of(copy), [&] { return below(copy); });
}

HIPAUDIT_EXPORT hipError_t hipMemcpy3DAsync(const hipMemcpy3DParms* copy, hipStream_t stream) {
  static constinit Below<decltype(hipMemcpy3DAsync)> below("hipMemcpy3DAsync");
  return run_copy("hipMemcpy3DAsync", in(stream, copy_of(copy)),
                  [&] { return below(copy, stream); });
}

HIPAUDIT_EXPORT hipError_t hipDrvMemcpy3D(const HIP_MEMCPY3D* copy) {
  static constinit Below<decltype(hipDrvMemcpy3D)> below("hipDrvMemcpy3D");
  return run_copy("hipDrvMemcpy3D", copy_of(copy), [&] { return below(copy); });
}

HIPAUDIT_EXPORT hipError_t hipDrvMemcpy3DAsync(const HIP_MEMCPY3D* copy, hipStream_t stream) {
  static constinit Below<decltype(hipDrvMemcpy3DAsync)> below("hipDrvMemcpy3DAsync");
  return run_copy("hipDrvMemcpy3DAsync", in(stream, copy_of(copy)),
                  [&] { return below(copy, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemset(void* to, int value, size_t bytes) {
  static constinit Below<decltype(hipMemset)> below("hipMemset");
  return run_copy("hipMemset", fill_of(to, bytes), [&] { return below(to, value, bytes); });
}

HIPAUDIT_EXPORT hipError_t hipMemsetAsync(void* to, int value, size_t bytes, hipStream_t stream) {
  static constinit Below<decltype(hipMemsetAsync)> below("hipMemsetAsync");
  return run_copy("hipMemsetAsync", in(stream, fill_of(to, bytes)),
                  [&] { return below(to, value, bytes, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemsetD8(void* to, unsigned char value, size_t count) {
  static constinit Below<decltype(hipMemsetD8)> below("hipMemsetD8");
  return run_copy("hipMemsetD8", fill_of(to, count), [&] { return below(to, value, count); });
}

HIPAUDIT_EXPORT hipError_t hipMemsetD8Async(void* to, unsigned char value, size_t count,
                                            hipStream_t stream) {
  static constinit Below<decltype(hipMemsetD8Async)> below("hipMemsetD8Async");
  return run_copy("hipMemsetD8Async", in(stream, fill_of(to, count)),
                  [&] { return below(to, value, count, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemsetD16(void* to, unsigned short value, size_t count) {
  static constinit Below<decltype(hipMemsetD16)> below("hipMemsetD16");
  return run_copy("hipMemsetD16", fill_of(to, count * 2), [&] { return below(to, value, count); });
}

HIPAUDIT_EXPORT hipError_t hipMemsetD16Async(void* to, unsigned short value, size_t count,
                                             hipStream_t stream) {
  static constinit Below<decltype(hipMemsetD16Async)> below("hipMemsetD16Async");
  return run_copy("hipMemsetD16Async", in(stream, fill_of(to, count * 2)),
                  [&] { return below(to, value, count, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemsetD32(void* to, int value, size_t count) {
  static constinit Below<decltype(hipMemsetD32)> below("hipMemsetD32");
  return run_copy("hipMemsetD32", fill_of(to, count * 4), [&] { return below(to, value, count); });
}

HIPAUDIT_EXPORT hipError_t hipMemsetD32Async(void* to, int value, size_t count,
                                             hipStream_t stream) {
  static constinit Below<decltype(hipMemsetD32Async)> below("hipMemsetD32Async");
  return run_copy("hipMemsetD32Async", in(stream, fill_of(to, count * 4)),
                  [&] { return below(to, value, count, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemset2D(void* to, size_t pitch, int value, size_t width,
                                       size_t height) {
  static constinit Below<decltype(hipMemset2D)> below("hipMemset2D");
  return run_copy("hipMemset2D", fill_rectangle(to, pitch, width, height),
                  [&] { return below(to, pitch, value, width, height); });
}

HIPAUDIT_EXPORT hipError_t hipMemset2DAsync(void* to, size_t pitch, int value, size_t width,
                                            size_t height, hipStream_t stream) {
  static constinit Below<decltype(hipMemset2DAsync)> below("hipMemset2DAsync");
  return run_copy("hipMemset2DAsync", in(stream, fill_rectangle(to, pitch, width, height)),
                  [&] { return below(to, pitch, value, width, height, stream); });
}

HIPAUDIT_EXPORT hipError_t hipMemset3D(hipPitchedPtr to, int value, hipExtent extent) {
  static constinit Below<decltype(hipMemset3D)> below("hipMemset3D");
  return run_copy("hipMemset3D", fill_box(to, extent), [&] { return below(to, value, extent); });
}

HIPAUDIT_EXPORT hipError_t hipMemset3DAsync(hipPitchedPtr to, int value, hipExtent extent,
                                            hipStream_t stream) {
  static constinit Below<decltype(hipMemset3DAsync)> below("hipMemset3DAsync");
  return run_copy("hipMemset3DAsync", in(stream, fill_box(to, extent)),
                  [&] { return below(to, value, extent, stream); });
}

}  // namespace hipaudit::ledger
