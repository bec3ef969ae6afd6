#include "shadow.h"

#include <sys/mman.h>

#include <cstdio>

namespace hipaudit {
namespace {

constexpr uintptr_t kPage = 4096;

bool map_at(uintptr_t base, size_t size) {
  void* wanted = reinterpret_cast<void*>(base);
  void* got = mmap(wanted, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (got == wanted) return true;
  fprintf(stderr, "hipaudit: the checkers' memory at %p cannot be had\n", wanted);
  return false;
}

void drop_pages(uintptr_t begin, uintptr_t end) {
  begin = (begin + kPage - 1) / kPage * kPage;
  end = end / kPage * kPage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace

bool map_shadow() {
  static int mapped = -1;
  if (mapped < 0)
    mapped =
        map_at(kStateBase, kDeviceSpan / 4) && map_at(kCellBase, kDeviceSpan / 4 * sizeof(Cell));
  return mapped == 1;
}

void mark_states(State* states, size_t offset, size_t size, State set, State clear) {
  size_t end = offset + size;
  for (size_t word = offset / 4; word * 4 < end; ++word) {
    unsigned bytes = 0xf;
    if (word * 4 < offset) bytes &= 0xfu << (offset % 4);
    if (word * 4 + 4 > end) bytes &= 0xfu >> (word * 4 + 4 - end);
    auto spread = static_cast<State>(bytes | bytes << 4);
    states[word] = static_cast<State>((states[word] & ~(clear & spread)) | (set & spread));
  }
}

void mark(uintptr_t address, size_t size, State set, State clear) {
  mark_states(reinterpret_cast<State*>(kStateBase), address - kDeviceBase, size, set, clear);
}

void forget(uintptr_t address, size_t size) {
  uintptr_t word = (address - kDeviceBase) / 4;
  uintptr_t words = size / 4;
  drop_pages(kStateBase + word, kStateBase + word + words);
  drop_pages(kCellBase + word * sizeof(Cell), kCellBase + (word + words) * sizeof(Cell));
}

}  // namespace hipaudit
