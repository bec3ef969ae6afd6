#include "copy.h"

#include <cstring>

#include "memory.h"
#include "range_check.h"
#include "stream.h"

namespace hipaudit {
namespace {

bool empty(const BoxSize& size) { return size.width == 0 || size.height == 0 || size.depth == 0; }

// From the first byte of a box to its last; 0 when the sum does not fit.
size_t span_of(const Layout& layout, const BoxSize& size) {
  size_t slices = 0;
  size_t rows = 0;
  size_t sum = 0;
  if (__builtin_mul_overflow(layout.slice, size.depth - 1, &slices)) return 0;
  if (__builtin_mul_overflow(layout.pitch, size.height - 1, &rows)) return 0;
  if (__builtin_add_overflow(slices, rows, &sum)) return 0;
  if (__builtin_add_overflow(sum, size.width, &sum)) return 0;
  return sum;
}

bool valid_pitch(const Layout& layout, const BoxSize& size) {
  return size.height == 1 || layout.pitch >= size.width;
}

bool valid_kind(hipMemcpyKind kind) {
  return static_cast<unsigned>(kind) <= hipMemcpyDefault || kind == hipMemcpyDeviceToDeviceNoCU;
}

Side destination_side(hipMemcpyKind kind) {
  if (kind == hipMemcpyDefault) return Side::either;
  return kind == hipMemcpyHostToHost || kind == hipMemcpyDeviceToHost ? Side::host : Side::device;
}

Side source_side(hipMemcpyKind kind) {
  if (kind == hipMemcpyDefault) return Side::either;
  return kind == hipMemcpyHostToHost || kind == hipMemcpyHostToDevice ? Side::host : Side::device;
}

void* pointer(uintptr_t address) { return reinterpret_cast<void*>(address); }

hipError_t check_box(const char* call, const Layout& layout, const BoxSize& size, Side side,
                     bool write) {
  if (layout.start == 0) return hipErrorInvalidValue;
  if (!valid_pitch(layout, size)) return hipErrorInvalidPitchValue;
  size_t span = span_of(layout, size);
  if (span == 0) return hipErrorInvalidValue;
  return check_range(call, {pointer(layout.start), span, side, write});
}

// Calls visit(destination offset, source offset, bytes) for pieces that lie together in both.
template <typename Visit>
void each_piece(const Layout& destination, const Layout& source, const BoxSize& size, Visit visit) {
  bool rows_touch =
      size.height == 1 || (destination.pitch == size.width && source.pitch == size.width);
  size_t rows = rows_touch ? 1 : size.height;
  size_t bytes = rows_touch ? size.width * size.height : size.width;
  for (size_t z = 0; z < size.depth; ++z)
    for (size_t y = 0; y < rows; ++y)
      visit(z * destination.slice + y * destination.pitch, z * source.slice + y * source.pitch,
            bytes);
}

void tell_copied(uintptr_t to, uintptr_t from, size_t bytes) {
  const MemoryObserver& hooks = memory_observer();
  if (hooks.written == nullptr && hooks.copied == nullptr) return;
  if (!is_tracked(pointer(to))) return;
  if (is_tracked(pointer(from))) {
    if (hooks.copied != nullptr) hooks.copied(to, from, bytes);
  } else if (hooks.written != nullptr) {
    hooks.written(to, bytes);
  }
}

void fill_row(uintptr_t start, size_t bytes, const Fill& fill) {
  char* row = static_cast<char*>(pointer(start));
  if (fill.element_bytes == 1) {
    memset(row, static_cast<int>(fill.value), bytes);
    return;
  }
  for (size_t i = 0; i + fill.element_bytes <= bytes; i += fill.element_bytes)
    memcpy(row + i, &fill.value, fill.element_bytes);
}

hipError_t check_copy(const Copy& copy) {
  if (!valid_kind(copy.kind)) return hipErrorInvalidMemcpyDirection;
  hipError_t status = check_box(copy.call, copy.source, copy.size, source_side(copy.kind), false);
  if (status != hipSuccess) return status;
  return check_box(copy.call, copy.destination, copy.size, destination_side(copy.kind), true);
}

}  // namespace

hipError_t run_copy(const Copy& copy) {
  if (!valid_stream(copy.stream)) return hipErrorInvalidHandle;
  if (empty(copy.size)) return hipSuccess;
  StreamTurn turn(copy.stream);
  hipError_t status = check_copy(copy);
  if (status != hipSuccess) return status;
  auto move = [&copy](size_t to, size_t from, size_t bytes) {
    uintptr_t destination = copy.destination.start + to;
    uintptr_t source = copy.source.start + from;
    memmove(pointer(destination), pointer(source), bytes);
    tell_copied(destination, source, bytes);
  };
  each_piece(copy.destination, copy.source, copy.size, move);
  return copy.synchronous ? take_async_error() : hipSuccess;
}

hipError_t run_fill(const Fill& fill) {
  if (!valid_stream(fill.stream)) return hipErrorInvalidHandle;
  if (empty(fill.size)) return hipSuccess;
  StreamTurn turn(fill.stream);
  hipError_t status = check_box(fill.call, fill.destination, fill.size, Side::device, true);
  if (status != hipSuccess) return status;
  auto paint_row = [&fill](size_t to, size_t, size_t bytes) {
    uintptr_t destination = fill.destination.start + to;
    fill_row(destination, bytes, fill);
    const MemoryObserver& hooks = memory_observer();
    if (hooks.written != nullptr) hooks.written(destination, bytes);
  };
  each_piece(fill.destination, fill.destination, fill.size, paint_row);
  return fill.synchronous ? take_async_error() : hipSuccess;
}

}  // namespace hipaudit
