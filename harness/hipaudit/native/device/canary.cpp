#include "canary.h"

#include <cstring>

namespace hipaudit {
namespace {

// Text, so that a hex dump of stray memory explains itself.
constexpr char kSlack[] = "hipaudit";
constexpr char kFreed[] = "hipfreed";
constexpr size_t kPatternBytes = 8;
static_assert(sizeof(kSlack) == kPatternBytes + 1 && sizeof(kFreed) == kPatternBytes + 1);

const char* text_of(Pattern pattern) { return pattern == Pattern::slack ? kSlack : kFreed; }

bool intact(uintptr_t address, const char* text) {
  return *reinterpret_cast<const char*>(address) == text[address % kPatternBytes];
}

bool word_intact(uintptr_t address, const char* text) {
  return memcmp(reinterpret_cast<const void*>(address), text, kPatternBytes) == 0;
}

}  // namespace

void paint(uintptr_t start, size_t bytes, Pattern pattern) {
  const char* text = text_of(pattern);
  uintptr_t at = start;
  uintptr_t end = start + bytes;
  for (; at < end && at % kPatternBytes != 0; ++at)
    *reinterpret_cast<char*>(at) = text[at % kPatternBytes];
  for (; at + kPatternBytes <= end; at += kPatternBytes)
    memcpy(reinterpret_cast<void*>(at), text, kPatternBytes);
  for (; at < end; ++at) *reinterpret_cast<char*>(at) = text[at % kPatternBytes];
}

Damage find_damage(uintptr_t start, size_t bytes, Pattern pattern) {
  const char* text = text_of(pattern);
  uintptr_t first = start;
  uintptr_t end = start + bytes;
  while (first < end && first % kPatternBytes != 0 && intact(first, text)) ++first;
  if (first % kPatternBytes == 0)
    while (first + kPatternBytes <= end && word_intact(first, text)) first += kPatternBytes;
  while (first < end && intact(first, text)) ++first;
  if (first == end) return {};
  uintptr_t last = end - 1;
  while (intact(last, text)) --last;
  return {first, last - first + 1};
}

}  // namespace hipaudit
