#include "memory_report.h"

namespace hipaudit {
namespace {

const char* kind_name(MemoryKind kind) {
  switch (kind) {
    case MemoryKind::device:
      return "device";
    case MemoryKind::host:
      return "pinned host";
    case MemoryKind::managed:
      return "managed";
    case MemoryKind::registered:
      return "registered host";
  }
  return "unknown";
}

std::string count_bytes(uint64_t count) {
  return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

Finding write_finding(const char* kind, const Allocation& allocation, uintptr_t address,
                      size_t bytes) {
  Finding finding;
  finding.kind = kind;
  finding.address_space = "global";
  finding.access = "write";
  finding.bytes = bytes;
  finding.allocation = allocation_note(allocation, address);
  return finding;
}

}  // namespace

std::string allocation_name(const Allocation& allocation) {
  return std::string(kind_name(allocation.kind)) + " allocation " + std::to_string(allocation.id);
}

std::string place_in(const Allocation& allocation, uintptr_t address) {
  uintptr_t end = allocation.address + allocation.size;
  if (address < allocation.address)
    return count_bytes(allocation.address - address) + " before its start";
  if (address == end) return "at its end";
  if (address > end) return count_bytes(address - end) + " past its end";
  return "at offset " + std::to_string(address - allocation.address);
}

AllocationNote allocation_note(const Allocation& allocation, uintptr_t address) {
  return {.name = allocation_name(allocation),
          .address = allocation.address,
          .size = allocation.size,
          .offset = static_cast<int64_t>(address - allocation.address)};
}

void report_overwritten(const Allocation& allocation, const Damage& damage,
                        const std::string& kernel) {
  Finding finding = write_finding("canary-overwritten", allocation, damage.start, damage.bytes);
  finding.message = count_bytes(damage.bytes) + " beside " + allocation_name(allocation) + " (" +
                    count_bytes(allocation.size) + ") were overwritten, the first " +
                    place_in(allocation, damage.start) +
                    (kernel.empty() ? "; found when it was checked" : "; found after the launch");
  finding.kernel = kernel;
  journal_finding(finding);
}

void report_written_after_free(const Allocation& allocation, uintptr_t address, size_t bytes) {
  Finding finding = write_finding("use-after-free", allocation, address, bytes);
  finding.message = count_bytes(bytes) + " of " + allocation_name(allocation) + " (" +
                    count_bytes(allocation.size) + ") were written after it was freed, the first " +
                    place_in(allocation, address) + "; found when its memory was used again";
  journal_finding(finding);
}

}  // namespace hipaudit
