#include "address_space.h"

#include <errno.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstring>

#include "memory.h"

namespace hipaudit {
namespace {

constexpr size_t kHugePageBytes = 2 << 20;

void* as_pointer(uintptr_t address) { return reinterpret_cast<void*>(address); }

}  // namespace

bool reserve_address_space() {
  void* got = mmap(as_pointer(kDeviceBase), kDeviceSpan, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (got == as_pointer(kDeviceBase)) return true;
  int reason = got == MAP_FAILED ? errno : EEXIST;
  if (got != MAP_FAILED) munmap(got, kDeviceSpan);
  fprintf(stderr,
          "hipaudit: the emulated device cannot have its memory.\n"
          "  It reserves %zu GiB of addresses at 0x%zx, which the system refused: %s.\n"
          "  %s\n",
          kDeviceSpan >> 30, static_cast<size_t>(kDeviceBase), strerror(reason),
          reason == EEXIST ? "Something else is mapped there: another copy of the device, perhaps."
                           : "A limit on virtual memory (ulimit -v) is the usual reason: lift it.");
  return false;
}

bool open_pages(uintptr_t start, size_t bytes) {
  if (mprotect(as_pointer(start), bytes, PROT_READ | PROT_WRITE) != 0) return false;
  if (bytes >= kHugePageBytes) madvise(as_pointer(start), bytes, MADV_HUGEPAGE);
  return true;
}

// A new mapping and not mprotect: mappings that were ever touched keep an identity of their own and
// would no longer merge with their neighbours, until the process runs out of mappings. For the same
// reason it has the very flags of the reservation.
void close_pages(uintptr_t start, size_t bytes) {
  mmap(as_pointer(start), bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
       -1, 0);
}

void discard_pages(uintptr_t start, size_t bytes) {
  madvise(as_pointer(start), bytes, MADV_DONTNEED);
}

}  // namespace hipaudit
