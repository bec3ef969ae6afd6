#include "fault_report.h"

#include <signal.h>

#include <cstdio>

#include "memory.h"

namespace hipaudit {
namespace {

constexpr uintptr_t kNullPage = 65536;
constexpr size_t kNear = size_t{1} << 20;

std::optional<Place> place_of(const Launch& launch, uintptr_t pc, const ThreadIndex& thread) {
  Place place;
  const Image& image = *launch.kernel->image;
  if (pc != 0 && image.is_code(pc)) {
    place.object = image.debug_object();
    place.pc = image.debug_address(pc);
  }
  const ThreadIndex& block = launch.fault.block;
  for (int axis = 0; axis < 3; ++axis) {
    place.block[axis] = axis == 0 ? block.x : axis == 1 ? block.y : block.z;
    place.thread[axis] = axis == 0 ? thread.x : axis == 1 ? thread.y : thread.z;
  }
  place.wave = thread.flat / launch.wave_size;
  place.lane = thread.flat % launch.wave_size;
  return place;
}

std::string hex(uintptr_t value) {
  char text[32];
  snprintf(text, sizeof text, "%#llx", static_cast<unsigned long long>(value));
  return text;
}

// An address in the device's range that cannot be accessed: near a buffer, or where one was.
void describe_device_address(const Fault& fault, Finding& finding) {
  Allocation allocation;
  finding.address_space = "global";
  bool freed = find_allocation(fault.address, &allocation) && !allocation.live;
  if (!freed && !nearest_allocation(fault.address, kNear, &allocation)) {
    finding.kind = "wild-access";
    finding.message = "access at " + hex(fault.address) + ", where no buffer is near";
    return;
  }
  finding.kind = freed ? "use-after-free" : "out-of-bounds-global";
  auto offset = static_cast<int64_t>(fault.address - allocation.address);
  finding.allocation = AllocationNote{"buffer " + std::to_string(allocation.id), allocation.address,
                                      allocation.size, offset};
  finding.message = std::string(fault.write ? "write" : "read") + " at byte " +
                    std::to_string(offset) + " of a buffer of " + std::to_string(allocation.size) +
                    " bytes" + (freed ? " that was freed" : "");
}

void describe_segment_fault(const Fault& fault, Finding& finding) {
  finding.access = fault.write ? "write" : "read";
  if (fault.in_guard) {
    finding.kind = "stack-overflow";
    finding.address_space = "private";
    finding.message = "the thread's stack is used up";
  } else if (fault.address - kDeviceBase < kDeviceSpan) {
    describe_device_address(fault, finding);
  } else {
    finding.kind = "wild-access";
    finding.message =
        fault.no_address ? "access through a misaligned vector or an impossible address"
        : fault.address < kNullPage
            ? "access at " + hex(fault.address) + ", through a null pointer"
            : "access at " + hex(fault.address) + ", which is not memory of the device";
  }
}

hipError_t describe_fault(const Fault& fault, Finding& finding) {
  switch (fault.signal) {
    case SIGSEGV:
    case SIGBUS:
      describe_segment_fault(fault, finding);
      return hipErrorIllegalAddress;
    case SIGFPE:
      finding.kind = "undefined-behaviour";
      finding.message = "integer division by zero, or of the smallest integer by -1";
      return hipErrorLaunchFailure;
    case SIGILL:
    case SIGTRAP:
      finding.kind = "abort";
      finding.message = "the kernel ran into a trap";
      return hipErrorLaunchFailure;
    default:
      finding.kind = "wild-access";
      finding.message = fault.message;
      return hipErrorLaunchFailure;
  }
}

}  // namespace

hipError_t report_ending(const Launch& launch) {
  const Fault& fault = launch.fault;
  bool stopped = launch.timed_out.load() || launch.fault_claimed.load();
  if (launch.given_up.load() && !launch.fault_claimed.load()) return hipErrorIllegalAddress;
  if (!stopped && fault.ending == Ending::completed) return hipSuccess;
  Finding finding;
  hipError_t error = hipErrorLaunchTimeOut;
  finding.kernel = launch.kernel->name;
  finding.location = place_of(launch, fault.pc, fault.thread);
  switch (fault.ending) {
    case Ending::fault:
      error = describe_fault(fault, finding);
      break;
    case Ending::deadlock:
      finding.kind = "deadlock";
      finding.message = fault.message;
      if (fault.other_pc != 0)
        finding.other_location = place_of(launch, fault.other_pc, fault.other_thread);
      break;
    case Ending::aborted:
      finding.kind = "abort";
      finding.message = fault.message;
      error = hipErrorAssert;
      break;
    default: {
      char text[96];
      snprintf(text, sizeof text,
               "no thread finished or passed a barrier for %g s, or none finished for %g s",
               launch.timeout_s, 6 * launch.timeout_s);
      finding.kind = "timeout";
      finding.message = text;
    }
  }
  journal_finding(finding);
  return error;
}

}  // namespace hipaudit
