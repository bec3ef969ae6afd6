#include "guarded.h"

#include "address_space.h"
#include "canary.h"

namespace hipaudit {
namespace {

// More than a page: a stride that jumps over one guard page would land in the neighbour.
constexpr size_t kGuardBytes = 64 << 10;
constexpr size_t kAlignment = 256;
constexpr size_t kHugePageBytes = 2 << 20;
constexpr size_t kMaxFreed = 16384;  // freed buffers that reports can still name

uintptr_t page_of(uintptr_t address) { return address / kPageBytes * kPageBytes; }

size_t span_of(const Allocation& allocation) {
  return round_up(allocation.address + allocation.size, kPageBytes) - page_of(allocation.address);
}

// One past the end counts as inside: pointers to there are legal, and a report names the buffer.
const Allocation* holding(const std::map<uintptr_t, Allocation>& buffers, uintptr_t address) {
  auto next = buffers.upper_bound(address);
  if (next == buffers.begin()) return nullptr;
  const Allocation& buffer = std::prev(next)->second;
  bool inside = address >= buffer.address && address - buffer.address <= buffer.size;
  return inside ? &buffer : nullptr;
}

}  // namespace

Slack slack_before(const Allocation& allocation) {
  uintptr_t base = page_of(allocation.address);
  return {base, allocation.address - base};
}

Slack slack_after(const Allocation& allocation) {
  uintptr_t end = allocation.address + allocation.size;
  return {end, round_up(end, kPageBytes) - end};
}

GuardedRegion::GuardedRegion(uintptr_t start, uintptr_t end)
    : start_(start + kGuardBytes), end_(end), cursor_(start_) {}

bool GuardedRegion::open(Allocation* allocation) {
  if (live_.size() >= kMaxLive) return false;
  size_t span = round_up(allocation->size, kPageBytes);
  uintptr_t base = find_room(span, span >= kHugePageBytes ? kHugePageBytes : kPageBytes);
  if (base == 0 || !open_pages(base, span)) return false;
  forget_freed(base, base + span);
  allocation->address = base + span - round_up(allocation->size, kAlignment);
  Slack before = slack_before(*allocation);
  Slack after = slack_after(*allocation);
  paint(before.start, before.bytes, Pattern::slack);
  paint(after.start, after.bytes, Pattern::slack);
  live_[base] = *allocation;
  cursor_ = base + span + kGuardBytes;
  return true;
}

void GuardedRegion::close(const Allocation& allocation) {
  uintptr_t base = page_of(allocation.address);
  close_pages(base, span_of(allocation));
  live_.erase(base);
  remember_freed(base, allocation);
}

Allocation* GuardedRegion::find_live(uintptr_t address) {
  return const_cast<Allocation*>(holding(live_, address));
}

const Allocation* GuardedRegion::find(uintptr_t address) const {
  const Allocation* live = holding(live_, address);
  return live != nullptr ? live : holding(freed_, address);
}

uintptr_t GuardedRegion::find_room(size_t bytes, size_t alignment) {
  uintptr_t found = first_fit(cursor_, bytes, alignment);
  return found != 0 ? found : first_fit(start_, bytes, alignment);
}

uintptr_t GuardedRegion::first_fit(uintptr_t from, size_t bytes, size_t alignment) const {
  uintptr_t candidate = round_up(from, alignment);
  auto next = live_.lower_bound(candidate);
  if (next != live_.begin()) {
    const Allocation& previous = std::prev(next)->second;
    uintptr_t free_from = page_of(previous.address) + span_of(previous) + kGuardBytes;
    if (free_from > candidate) candidate = round_up(free_from, alignment);
  }
  for (;; ++next) {
    uintptr_t limit = next == live_.end() ? end_ : next->first;
    if (candidate + bytes + kGuardBytes <= limit) return candidate;
    if (next == live_.end()) return 0;
    candidate = round_up(next->first + span_of(next->second) + kGuardBytes, alignment);
  }
}

void GuardedRegion::remember_freed(uintptr_t base, const Allocation& allocation) {
  freed_[base] = allocation;
  freed_order_.emplace_back(base, allocation.id);
  if (freed_order_.size() <= kMaxFreed) return;
  auto [oldest, id] = freed_order_.front();
  freed_order_.pop_front();
  auto found = freed_.find(oldest);
  if (found != freed_.end() && found->second.id == id) freed_.erase(found);
}

void GuardedRegion::forget_freed(uintptr_t start, uintptr_t end) {
  auto first = freed_.upper_bound(start);
  if (first != freed_.begin()) {
    auto previous = std::prev(first);
    if (previous->first + span_of(previous->second) > start) first = previous;
  }
  while (first != freed_.end() && first->first < end) first = freed_.erase(first);
}

}  // namespace hipaudit
