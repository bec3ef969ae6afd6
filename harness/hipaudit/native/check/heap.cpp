// Memory that kernels themselves take and give back.
#include <algorithm>

#include "check/access.h"

namespace hipaudit {

// To give memory back is to use all of it: whoever else uses it has to be done before.
void Checker::memory_freed(Worker& worker, uintptr_t address, uintptr_t pc) {
  Allocation allocation;
  bool known = find_allocation(address, &allocation) && allocation.address == address;
  if (known && allocation.live) {
    constexpr size_t kPart = size_t{1} << 20;
    for (size_t at = 0; at < allocation.size; at += kPart)
      check_access(address + at, static_cast<uint32_t>(std::min(kPart, allocation.size - at)),
                   {Access::write}, pc);
    // No reader stands for those that come now.
    Record* reads = device_shadow().reads + (address - kDeviceBase) / 4;
    std::fill(reads, reads + (allocation.size + 3) / 4, Record());
    return;
  }
  flush_pending(check_of(worker), *worker.launch);
  Observation seen;
  seen.kind = known ? "double-free" : "invalid-free";
  seen.message = known ? "the memory was given back before" : "no buffer begins there";
  seen.space = "global";
  seen.address = address;
  seen.here = present_side(worker, pc);
  observe(*worker.launch, seen);
}

}  // namespace hipaudit
