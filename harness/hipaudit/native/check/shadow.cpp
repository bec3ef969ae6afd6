#include "shadow.h"

#include <sys/mman.h>

#include <cstdio>

namespace hipaudit {
namespace {

constexpr uintptr_t kPage = 4096;
constexpr size_t kWords = kDeviceSpan / 4;

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

Shadow device_shadow() {
  return {reinterpret_cast<State*>(kStateBase), reinterpret_cast<Record*>(kWriteBase),
          reinterpret_cast<Record*>(kReadBase), SecondReads(kSecondBase)};
}

Shadow new_shadow(size_t bytes) {
  size_t words = bytes / 4;
  size_t size = words * (1 + 2 * sizeof(Record) + SecondReads::kStride) + kPage;
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return {};
  auto base = reinterpret_cast<uintptr_t>(memory);
  return {reinterpret_cast<State*>(base), reinterpret_cast<Record*>(base + words),
          reinterpret_cast<Record*>(base + words * 9), SecondReads(base + words * 17)};
}

bool map_shadow() {
  static int mapped = -1;
  if (mapped < 0)
    mapped = map_at(kStateBase, kWords) && map_at(kWriteBase, kWords * sizeof(Record)) &&
             map_at(kReadBase, kWords * sizeof(Record)) &&
             map_at(kSecondBase, kWords * SecondReads::kStride);
  return mapped == 1;
}

void mark_states(State* states, size_t offset, size_t size, State set, State clear) {
  size_t end = offset + size;
  for (size_t word = offset / 4; word * 4 < end;) {
    if (word * 4 >= offset && word * 4 + 32 <= end && word % 8 == 0) {
      constexpr uint64_t kEight = 0x0101010101010101;
      uint64_t eight;
      memcpy(&eight, states + word, sizeof eight);
      eight = (eight & ~(clear * kEight)) | set * kEight;
      memcpy(states + word, &eight, sizeof eight);
      word += 8;
      continue;
    }
    unsigned bytes = 0xf;
    if (word * 4 < offset) bytes &= 0xfu << (offset % 4);
    if (word * 4 + 4 > end) bytes &= 0xfu >> (word * 4 + 4 - end);
    auto spread = static_cast<State>(bytes | bytes << 4);
    states[word] = static_cast<State>((states[word] & ~(clear & spread)) | (set & spread));
    ++word;
  }
}

void mark(uintptr_t address, size_t size, State set, State clear) {
  mark_states(reinterpret_cast<State*>(kStateBase), address - kDeviceBase, size, set, clear);
}

void forget(uintptr_t address, size_t size) {
  uintptr_t begin = (address - kDeviceBase) / 4;
  uintptr_t end = begin + size / 4;
  drop_pages(kStateBase + begin, kStateBase + end);
  drop_pages(kWriteBase + begin * sizeof(Record), kWriteBase + end * sizeof(Record));
  drop_pages(kReadBase + begin * sizeof(Record), kReadBase + end * sizeof(Record));
  drop_pages(kSecondBase + begin * SecondReads::kStride, kSecondBase + end * SecondReads::kStride);
}

void forget_accesses() {
  drop_pages(kWriteBase, kWriteBase + kWords * sizeof(Record));
  drop_pages(kReadBase, kReadBase + kWords * sizeof(Record));
  drop_pages(kSecondBase, kSecondBase + kWords * SecondReads::kStride);
}

void forget_accesses(const Shadow& shadow, size_t bytes) {
  size_t words = bytes / 4;
  auto begin = reinterpret_cast<uintptr_t>(shadow.writes);
  drop_pages(begin, begin + words * (2 * sizeof(Record) + SecondReads::kStride) + kPage);
}

}  // namespace hipaudit
