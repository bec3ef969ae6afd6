#include "changes.h"

#include <algorithm>
#include <cstring>

namespace hipaudit::ledger {
namespace {

constexpr uint64_t kMostBlocks = uint64_t{1} << 16;

uint64_t changed_bits(const char* before, const char* now, uint64_t count) {
  uint64_t bits = 0;
  for (uint64_t i = 0; i < count; ++i) bits |= uint64_t{before[i] != now[i]} << i;
  return bits;
}

}  // namespace

Changed changed(const Before& before) {
  const auto* now = reinterpret_cast<const char*>(before.address);
  const char* old = before.bytes.data();
  uint64_t size = before.bytes.size();
  Changed result;
  if (memcmp(now, old, size) == 0) return result;
  result.end = size;
  while (now[result.first] == old[result.first]) ++result.first;
  while (now[result.end - 1] == old[result.end - 1]) --result.end;
  bool all = true;
  for (uint64_t at = result.first; all && at < result.end; ++at) all = now[at] != old[at];
  if (all) return result;
  uint64_t blocks = (size + Bytes::kBlock - 1) / Bytes::kBlock;
  result.bytes.step = (blocks + kMostBlocks - 1) / kMostBlocks;
  for (uint64_t block = 0; block < blocks; block += result.bytes.step) {
    uint64_t start = block * Bytes::kBlock;
    uint64_t count = std::min(Bytes::kBlock, size - start);
    result.bytes.blocks.push_back(changed_bits(old + start, now + start, count));
  }
  return result;
}

}  // namespace hipaudit::ledger
