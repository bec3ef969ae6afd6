#include "range_check.h"

#include <errno.h>
#include <sys/mman.h>

#include <string>

#include "address_space.h"
#include "journal.h"
#include "memory.h"
#include "memory_report.h"
#include "module.h"

namespace hipaudit {
namespace {

constexpr size_t kReach = 64 << 10;  // how far off an allocation may be that a report names

bool in_device_range(uintptr_t address) {
  return address >= kDeviceBase && address - kDeviceBase < kDeviceSpan;
}

std::string hexadecimal(uintptr_t value) {
  char text[20];
  snprintf(text, sizeof(text), "0x%zx", static_cast<size_t>(value));
  return text;
}

// "hipMemcpy writes 16 bytes"
std::string deed(const char* call, const Range& range) {
  return std::string(call) + (range.write ? " writes " : " reads ") + std::to_string(range.bytes) +
         (range.bytes == 1 ? " byte" : " bytes");
}

hipError_t refuse(const char* kind, const Range& range, const Allocation* allocation,
                  const std::string& message) {
  Finding finding;
  finding.kind = kind;
  finding.message = message;
  finding.address_space = "global";
  finding.access = range.write ? "write" : "read";
  finding.bytes = range.bytes;
  if (allocation != nullptr)
    finding.allocation = allocation_note(*allocation, reinterpret_cast<uintptr_t>(range.start));
  journal_finding(finding);
  return hipErrorInvalidValue;
}

std::string with_size(const Allocation& allocation) {
  return allocation_name(allocation) + " (" + std::to_string(allocation.size) + " bytes)";
}

hipError_t refuse_overrun(const char* call, const Range& range, const Allocation& allocation) {
  uintptr_t start = reinterpret_cast<uintptr_t>(range.start);
  size_t excess = start + range.bytes - (allocation.address + allocation.size);
  return refuse("copy-out-of-bounds", range, &allocation,
                deed(call, range) + " " + place_in(allocation, start) + " of " +
                    with_size(allocation) + ": " + std::to_string(excess) + " too many");
}

hipError_t refuse_freed(const char* call, const Range& range, const Allocation& allocation) {
  uintptr_t start = reinterpret_cast<uintptr_t>(range.start);
  return refuse("use-after-free", range, &allocation,
                deed(call, range) + " " + place_in(allocation, start) + " of " +
                    with_size(allocation) + ", which was freed");
}

hipError_t refuse_stray(const char* call, const Range& range) {
  uintptr_t start = reinterpret_cast<uintptr_t>(range.start);
  Allocation near;
  if (!nearest_allocation(start, kReach, &near))
    return refuse("copy-out-of-bounds", range, nullptr,
                  deed(call, range) + " at " + hexadecimal(start) +
                      ", a device address that belongs to no allocation");
  return refuse("copy-out-of-bounds", range, &near,
                deed(call, range) + " outside of any allocation, " + place_in(near, start) +
                    " of " + with_size(near));
}

hipError_t refuse_side(const char* call, const Range& range, const Allocation* allocation) {
  std::string what =
      allocation != nullptr
          ? with_size(*allocation)
          : "the host's own memory at " + hexadecimal(reinterpret_cast<uintptr_t>(range.start));
  const char* wanted = range.side == Side::device ? "device" : "host";
  return refuse(
      "argument-mismatch", range, allocation,
      deed(call, range) + " of " + what + " where the copy's direction says " + wanted + " memory");
}

// A page that is not mapped would take the process down in the middle of the copy.
bool is_mapped(uintptr_t address) {
  unsigned char resident = 0;
  void* page = reinterpret_cast<void*>(address / kPageBytes * kPageBytes);
  return mincore(page, kPageBytes, &resident) == 0 || errno != ENOMEM;
}

hipError_t check_pageable(const char* call, const Range& range) {
  uintptr_t start = reinterpret_cast<uintptr_t>(range.start);
  if (range.side == Side::device) return refuse_side(call, range, nullptr);
  if (start <= UINTPTR_MAX - range.bytes && is_mapped(start) && is_mapped(start + range.bytes - 1))
    return hipSuccess;
  return refuse("copy-out-of-bounds", range, nullptr,
                deed(call, range) + " of host memory at " + hexadecimal(start) +
                    ", part of which is not mapped");
}

hipError_t check_global(const char* call, const Range& range, const std::string& name,
                        const Global& global) {
  uintptr_t start = reinterpret_cast<uintptr_t>(range.start);
  size_t offset = start - global.address;
  if (range.bytes > global.size - offset)
    return refuse("copy-out-of-bounds", range, nullptr,
                  deed(call, range) + " at offset " + std::to_string(offset) + " of the variable " +
                      name + " (" + std::to_string(global.size) + " bytes): " +
                      std::to_string(range.bytes - (global.size - offset)) + " too many");
  return range.side == Side::host ? refuse_side(call, range, nullptr) : hipSuccess;
}

}  // namespace

hipError_t check_range(const char* call, const Range& range) {
  if (range.bytes == 0) return hipSuccess;
  if (range.start == nullptr) return hipErrorInvalidValue;
  uintptr_t start = reinterpret_cast<uintptr_t>(range.start);
  Allocation allocation;
  if (!find_allocation(start, &allocation)) {
    if (in_device_range(start)) return refuse_stray(call, range);
    std::string name;
    Global global;
    if (find_global(start, &name, &global)) return check_global(call, range, name, global);
    return check_pageable(call, range);
  }
  if (!allocation.live) return refuse_freed(call, range, allocation);
  if (range.side == Side::host && allocation.kind == MemoryKind::device)
    return refuse_side(call, range, &allocation);
  bool fits = range.bytes <= allocation.size - (start - allocation.address);
  if (fits) return hipSuccess;
  // Beyond a registered range lies ordinary host memory, which the host side may use.
  if (allocation.kind == MemoryKind::registered && range.side != Side::device)
    return check_pageable(call, {range.start, range.bytes, Side::host, range.write});
  return refuse_overrun(call, range, allocation);
}

bool is_tracked(const void* pointer) {
  uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
  Allocation allocation;
  return in_device_range(address) || find_allocation(address, &allocation);
}

}  // namespace hipaudit
