#include "changes.h"

#include <algorithm>
#include <cstring>

namespace hipaudit::ledger {
namespace {

constexpr uint64_t kMostBlocks = uint64_t{1} << 16;

// Whether any byte of the number at an offset differs; the last one may be cut off.
bool differs(const Before& before, uint64_t at) {
  uint64_t count = std::min(before.element, before.bytes.size() - at);
  return memcmp(reinterpret_cast<const char*>(before.address) + at, before.bytes.data() + at,
                count) != 0;
}

uint64_t changed_bits(const Before& before, uint64_t start, uint64_t end) {
  uint64_t bits = 0;
  uint64_t number = (uint64_t{1} << before.element) - 1;
  for (uint64_t at = start; at < end; at += before.element)
    if (differs(before, at)) bits |= number << (at - start);
  return bits;
}

}  // namespace

Changed changed(const Before& before) {
  uint64_t element = before.element;
  uint64_t size = before.bytes.size();
  Changed result;
  if (memcmp(reinterpret_cast<const char*>(before.address), before.bytes.data(), size) == 0)
    return result;
  result.end = (size + element - 1) / element * element;
  while (!differs(before, result.first)) result.first += element;
  while (!differs(before, result.end - element)) result.end -= element;
  bool all = true;
  for (uint64_t at = result.first; all && at < result.end; at += element) all = differs(before, at);
  result.end = std::min(result.end, size);
  if (all) return result;
  uint64_t blocks = (size + Bytes::kBlock - 1) / Bytes::kBlock;
  result.bytes.step = (blocks + kMostBlocks - 1) / kMostBlocks;
  for (uint64_t block = 0; block < blocks; block += result.bytes.step) {
    uint64_t start = block * Bytes::kBlock;
    result.bytes.blocks.push_back(
        changed_bits(before, start, std::min(start + Bytes::kBlock, size)));
  }
  return result;
}

}  // namespace hipaudit::ledger
