#include "kernel_launch.h"

#include <time.h>

#include <cstdio>
#include <cstring>
#include <vector>

#include "check/checker.h"
#include "fault_report.h"
#include "journal.h"
#include "memory.h"
#include "memory_report.h"
#include "profile.h"

namespace hipaudit {
namespace {

constexpr size_t kArgumentAlign = 64;

hipError_t refuse(const Kernel* kernel, const char* kind, const std::string& message,
                  hipError_t error, const AllocationNote& allocation = {}) {
  Finding finding;
  finding.kind = kind;
  finding.kernel = kernel->name;
  finding.message = message;
  finding.allocation = allocation;
  journal_finding(finding);
  return error;
}

std::string triple(const uint32_t (&values)[3]) {
  return "(" + std::to_string(values[0]) + ", " + std::to_string(values[1]) + ", " +
         std::to_string(values[2]) + ")";
}

// Empty when the launch is within the limits of the part and of the kernel.
std::string broken_limit(const Kernel* kernel, const LaunchShape& shape) {
  const Profile& profile = current_profile();
  uint64_t threads = uint64_t{shape.block[0]} * shape.block[1] * shape.block[2];
  uint64_t blocks = uint64_t{shape.grid[0]} * shape.grid[1] * shape.grid[2];
  auto most = static_cast<uint64_t>(profile.max_threads_per_block);
  if (blocks == 0) return "the grid " + triple(shape.grid) + " is empty";
  if (threads == 0) return "the block " + triple(shape.block) + " is empty";
  if (threads > most)
    return "the block " + triple(shape.block) + " has " + std::to_string(threads) + " threads, " +
           profile.arch + " allows " + std::to_string(most);
  if (kernel->record->max_threads != 0 && threads > kernel->record->max_threads)
    return "the block " + triple(shape.block) + " has " + std::to_string(threads) +
           " threads, the kernel's __launch_bounds__ allow " +
           std::to_string(kernel->record->max_threads);
  for (int axis = 0; axis < 3; ++axis)
    if (uint64_t{shape.grid[axis]} * shape.block[axis] > 0xffffffffu)
      return "grid " + triple(shape.grid) + " times block " + triple(shape.block) +
             " exceeds 2^32 - 1 threads along an axis";
  uint64_t shared = uint64_t{kernel->shared_bytes} + shape.shared_bytes;
  if (shared > profile.lds_bytes)
    return std::to_string(kernel->shared_bytes) + " bytes of static and " +
           std::to_string(shape.shared_bytes) + " of dynamic shared memory, " + profile.arch +
           " has " + std::to_string(profile.lds_bytes);
  auto resident = static_cast<uint64_t>(profile.multiprocessors) *
                  static_cast<uint64_t>(profile.max_threads_per_multiprocessor) / threads;
  if (shape.cooperative && blocks > resident)
    return "a cooperative launch of " + std::to_string(blocks) + " blocks, " + profile.arch +
           " holds " + std::to_string(resident) + " at a time";
  return "";
}

// Copies the arguments into one buffer laid out as the kernel's own types say. Empty: good.
std::string pack_arguments(const Kernel* kernel, void** parameters, void** extra, char* packed) {
  const KernelRecord& record = *kernel->record;
  if (extra == nullptr) {
    if (parameters == nullptr && record.parameter_count > 0)
      return "the kernel takes " + std::to_string(record.parameter_count) +
             " arguments and none were given";
    for (unsigned i = 0; i < record.parameter_count; ++i) {
      if (parameters[i] == nullptr) return "argument " + std::to_string(i) + " is missing";
      memcpy(packed + record.parameters[i].offset, parameters[i], record.parameters[i].size);
    }
    return "";
  }
  const void* buffer = nullptr;
  size_t size = 0;
  for (void** entry = extra; reinterpret_cast<uintptr_t>(*entry) != 3; entry += 2) {
    auto tag = reinterpret_cast<uintptr_t>(*entry);
    if (tag == 1)
      buffer = entry[1];
    else if (tag == 2)
      size = *static_cast<size_t*>(entry[1]);
    else
      return "the launch's extra list holds the unknown entry " + std::to_string(tag);
  }
  uint64_t padded = (record.packed_size + 15) / 16 * 16;
  if (size < record.packed_size || size > padded)
    return "the arguments take " + std::to_string(record.packed_size) + " bytes (" +
           record.signature + "), " + std::to_string(size) + " were passed";
  if (size > 0) memcpy(packed, buffer, record.packed_size);
  return "";
}

// A pointer argument must be null or point into memory that the device can reach.
hipError_t check_pointers(const Kernel* kernel, const char* packed) {
  const KernelRecord& record = *kernel->record;
  for (unsigned i = 0; i < record.parameter_count; ++i) {
    if (record.parameters[i].kind != kPointer) continue;
    uintptr_t value = 0;
    memcpy(&value, packed + record.parameters[i].offset, sizeof value);
    Allocation allocation;
    std::string name;
    Global global;
    if (value == 0) continue;
    bool known = find_allocation(value, &allocation);
    if ((known && allocation.live) || find_global(value, &name, &global)) continue;
    char text[200];
    snprintf(text, sizeof text, "argument %u is %#llx, %s", i,
             static_cast<unsigned long long>(value),
             known ? "inside a buffer that was freed"
                   : "which is neither device memory nor registered host memory");
    if (!known) return refuse(kernel, "argument-mismatch", text, hipErrorIllegalAddress);
    return refuse(kernel, "use-after-free", text, hipErrorIllegalAddress,
                  allocation_note(allocation, value));
  }
  return hipSuccess;
}

// Stores just past a buffer's end fault in no plain build: the painted bytes there tell of them.
void check_neighbourhood(const Kernel* kernel, const char* packed) {
  const KernelRecord& record = *kernel->record;
  for (unsigned i = 0; i < record.parameter_count; ++i) {
    if (record.parameters[i].kind != kPointer) continue;
    uintptr_t value = 0;
    memcpy(&value, packed + record.parameters[i].offset, sizeof value);
    check_canaries_after(kernel->name, value);
  }
}

double milliseconds_since(const timespec& begin) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return 1e3 * static_cast<double>(now.tv_sec - begin.tv_sec) +
         1e-6 * static_cast<double>(now.tv_nsec - begin.tv_nsec);
}

hipError_t run(const Kernel* kernel, const LaunchShape& shape, const char* packed,
               const Settings& now) {
  Launch launch;
  launch.kernel = kernel;
  launch.arguments = packed;
  launch.shape = shape;
  launch.wave_size = static_cast<uint32_t>(current_profile().wave);
  launch.order_seed = now.order_seed;
  launch.adversary = now.adversary;
  launch.timeout_s = now.timeout_s;
  launch.prepare();
  if (now.build == Build::checked) {
    if (!start_checking()) return hipErrorOutOfMemory;
    launch.observer = &checker();
  }
  timespec begin;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  run_launch(launch, now.workers);
  LaunchCount count;
  count.kernel = kernel->name;
  count.arch = now.arch;
  count.build = build_name(now.build);
  count.threads = launch.finished_blocks.load() * launch.block_dim.flat;
  count.accesses = launch.accesses.load();
  count.moved = launch.moved.load();
  count.launch_ms = milliseconds_since(begin);
  journal_launch(count);
  return report_ending(launch);
}

}  // namespace

hipError_t launch_kernel(const Function* function, const LaunchShape& shape, void** parameters,
                         void** extra) {
  if (function == nullptr) return hipErrorInvalidResourceHandle;
  Settings now = settings();
  std::string error;
  const Kernel* kernel = resolve(function, &error);
  if (kernel == nullptr) {
    fprintf(stderr, "hipaudit: %s\n", error.c_str());
    return hipErrorInvalidImage;
  }
  if (std::string broken = broken_limit(kernel, shape); !broken.empty())
    return refuse(
        kernel, "launch-limit", broken,
        shape.cooperative ? hipErrorCooperativeLaunchTooLarge : hipErrorInvalidConfiguration);
  std::vector<char> storage(kernel->record->packed_size + 2 * kArgumentAlign);
  auto start = reinterpret_cast<uintptr_t>(storage.data());
  char* packed = storage.data() + (kArgumentAlign - start % kArgumentAlign);
  if (std::string wrong = pack_arguments(kernel, parameters, extra, packed); !wrong.empty())
    return refuse(kernel, "argument-mismatch", wrong, hipErrorInvalidValue);
  if (hipError_t bad = check_pointers(kernel, packed); bad != hipSuccess) return bad;
  hipError_t status = run(kernel, shape, packed, now);
  check_neighbourhood(kernel, packed);
  return status;
}

}  // namespace hipaudit
