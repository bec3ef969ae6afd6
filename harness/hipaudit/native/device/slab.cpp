#include "slab.h"

#include <cstdlib>

#include "address_space.h"
#include "canary.h"

namespace hipaudit {
namespace {

constexpr size_t kQuarantine = 1024;         // freed slots of a class that wait
constexpr size_t kMaxRedZone = 1024;         // painted after a buffer, at most
constexpr size_t kMaxPoison = 4096;          // painted of a freed buffer, at most
constexpr size_t kGiveBackBytes = 64 << 10;  // slots of this size return their pages
constexpr size_t kOpenStepBytes = 64 << 20;  // accessible pages grow in such steps
constexpr size_t kStep = 256;                // granule of slot sizes
constexpr size_t kSlotsPerLargeChunk = 4;

size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

size_t poison_bytes(const Allocation& allocation, size_t slot_bytes) {
  return slot_bytes >= kGiveBackBytes ? 0 : smaller(allocation.size, kMaxPoison);
}

}  // namespace

SlabRegion::SlabRegion(uintptr_t start, uintptr_t end)
    : start_(start), end_(end), frontier_(start + kUnitBytes), opened_(start) {
  for (size_t i = 0; i < kClasses; ++i) classes_[i].slot_bytes = class_bytes(i);
}

// Four classes a doubling: 512, 640, 768, 896, 1024, 1280, ... rounded up to the granule.
size_t SlabRegion::class_bytes(size_t index) {
  size_t octave = 2 * kStep << index / 4;
  return round_up(octave + octave / 4 * (index % 4), kStep);
}

size_t SlabRegion::class_of(size_t slot_bytes) {
  size_t index = 0;
  while (index < kClasses && class_bytes(index) < slot_bytes) ++index;
  return index;
}

bool SlabRegion::open(Allocation* allocation, Reuse* reuse) {
  size_t index = class_of(allocation->size + kRedZoneBytes);
  if (index == kClasses) return false;
  SizeClass& size_class = classes_[index];
  uintptr_t buffer = 0;
  if (size_class.freed.size() > kQuarantine) buffer = recycle(size_class, reuse);
  if (buffer == 0) buffer = carve(size_class);
  if (buffer == 0) buffer = recycle(size_class, reuse);
  if (buffer == 0) return false;
  allocation->address = buffer;
  *slot_of(buffer) = {allocation->id, allocation->size, allocation->flags, allocation->kind, true};
  paint(buffer + allocation->size, red_zone_after(*allocation), Pattern::slack);
  return true;
}

void SlabRegion::close(const Allocation& allocation) {
  SizeClass& size_class = classes_[class_of(allocation.size + kRedZoneBytes)];
  slot_of(allocation.address)->live = false;
  if (size_class.slot_bytes >= kGiveBackBytes) {
    uintptr_t first = round_up(allocation.address, kPageBytes);
    uintptr_t last = (allocation.address + allocation.size) / kPageBytes * kPageBytes;
    if (first < last) discard_pages(first, last - first);
  }
  paint(allocation.address, poison_bytes(allocation, size_class.slot_bytes), Pattern::freed);
  size_class.freed.push_back(allocation.address);
}

bool SlabRegion::find(uintptr_t address, Allocation* out) const {
  const Chunk* chunk = chunk_of(address);
  if (chunk == nullptr) return false;
  size_t slot = (address - chunk->base) / chunk->slot_bytes;
  if (slot >= chunk->carved) return false;
  *out = describe(*chunk, static_cast<uint32_t>(slot));
  return out->id != 0 && address >= out->address && address - out->address <= out->size;
}

void SlabRegion::set_live(uintptr_t address, bool live) { slot_of(address)->live = live; }

size_t SlabRegion::red_zone_after(const Allocation& allocation) const {
  const Chunk* chunk = chunk_of(allocation.address);
  return smaller(chunk->slot_bytes - allocation.size, kMaxRedZone);
}

Allocation SlabRegion::describe(const Chunk& chunk, uint32_t slot) {
  const Slot& entry = chunk.table[slot];
  return {.address = chunk.base + slot * chunk.slot_bytes,
          .size = entry.size,
          .kind = entry.kind,
          .live = entry.live,
          .id = entry.id,
          .flags = entry.flags};
}

uintptr_t SlabRegion::carve(SizeClass& size_class) {
  Chunk* chunk = size_class.current;
  if (chunk == nullptr || chunk->carved == chunk->slots) {
    chunk = add_chunk(size_class.slot_bytes);
    if (chunk == nullptr) return 0;
    size_class.current = chunk;
  }
  uintptr_t buffer = chunk->base + chunk->carved++ * chunk->slot_bytes;
  paint(buffer - kRedZoneBytes, kRedZoneBytes, Pattern::slack);
  paint(buffer + chunk->slot_bytes - kRedZoneBytes, kRedZoneBytes, Pattern::slack);
  return buffer;
}

uintptr_t SlabRegion::recycle(SizeClass& size_class, Reuse* reuse) {
  if (size_class.freed.empty()) return 0;
  uintptr_t buffer = size_class.freed.front();
  size_class.freed.pop_front();
  find(buffer, &reuse->before);
  size_t painted = poison_bytes(reuse->before, size_class.slot_bytes);
  Damage damage = find_damage(buffer, painted, Pattern::freed);
  reuse->damage_start = damage.start;
  reuse->damage_bytes = damage.bytes;
  return buffer;
}

SlabRegion::Chunk* SlabRegion::add_chunk(size_t slot_bytes) {
  size_t wanted = slot_bytes * kSlotsPerLargeChunk;
  if (wanted > kUnitBytes && slot_bytes > kUnitBytes) wanted = slot_bytes;
  size_t bytes = round_up(wanted, kUnitBytes);
  if (bytes > end_ - frontier_ || !extend(frontier_ + bytes)) return nullptr;
  uint32_t slots = static_cast<uint32_t>(bytes / slot_bytes);
  Slot* table = static_cast<Slot*>(calloc(slots, sizeof(Slot)));
  if (table == nullptr) return nullptr;
  chunks_.push_back(new Chunk{frontier_, slot_bytes, slots, 0, table});
  units_.resize((frontier_ + bytes - start_) / kUnitBytes, chunks_.back());
  frontier_ += bytes;
  return chunks_.back();
}

bool SlabRegion::extend(uintptr_t to) {
  if (to <= opened_) return true;
  size_t step = round_up(to - opened_, kOpenStepBytes);
  step = smaller(step, end_ - opened_);
  if (!open_pages(opened_, step)) return false;
  opened_ += step;
  return true;
}

const SlabRegion::Chunk* SlabRegion::chunk_of(uintptr_t address) const {
  if (address < start_ || address >= frontier_) return nullptr;
  size_t unit = (address - start_) / kUnitBytes;
  return unit < units_.size() ? units_[unit] : nullptr;
}

SlabRegion::Slot* SlabRegion::slot_of(uintptr_t buffer) const {
  const Chunk* chunk = chunk_of(buffer);
  return &chunk->table[(buffer - chunk->base) / chunk->slot_bytes];
}

}  // namespace hipaudit
