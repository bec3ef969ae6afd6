// Buffers beyond the number that can have pages of their own: slots of size classes, with painted
// red zones between them. They cost the system no mapping each, so a million of them are possible.
//
// A slot is a buffer and, after it, a red zone of 256 bytes or more: what the buffer does not fill.
// The zone before a buffer is the end of the slot before it. A freed slot is painted and waits for
// a thousand more frees of its class before it is used again; large ones give their pages back at
// once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "memory.h"

namespace hipaudit {

class SlabRegion {
 public:
  static constexpr size_t kRedZoneBytes = 256;

  SlabRegion(uintptr_t start, uintptr_t end);

  // Takes a slot for a buffer and fills in its address. False: no room. `reused` is what the slot
  // held before (its id is 0 when it is new), `damage` the part of it written since it was freed.
  struct Reuse {
    Allocation before;
    uintptr_t damage_start = 0;
    size_t damage_bytes = 0;
  };
  bool open(Allocation* allocation, Reuse* reuse);

  // Puts a live buffer's slot aside.
  void close(const Allocation& allocation);

  bool find(uintptr_t address, Allocation* out) const;
  void set_live(uintptr_t address, bool live);

  // How many bytes after a buffer are painted. Before it, it is kRedZoneBytes.
  size_t red_zone_after(const Allocation& allocation) const;

  template <typename Visit>
  void each_live(Visit visit) const {
    for (const auto& chunk : chunks_) {
      for (uint32_t i = 0; i < chunk->carved; ++i) {
        Allocation allocation = describe(*chunk, i);
        if (allocation.live) visit(allocation);
      }
    }
  }

 private:
  struct Slot {
    uint64_t id;
    uint64_t size;
    uint32_t flags;
    MemoryKind kind;
    bool live;
  };
  struct Chunk {
    uintptr_t base;
    size_t slot_bytes;
    uint32_t slots;
    uint32_t carved;  // slots that were ever used, from the first on
    Slot* table;
  };
  struct SizeClass {
    size_t slot_bytes = 0;
    Chunk* current = nullptr;
    std::deque<uintptr_t> freed;  // addresses of buffers, oldest first
  };
  static constexpr size_t kUnitBytes = 4 << 20;
  static constexpr size_t kClasses = 160;

  static size_t class_of(size_t slot_bytes);
  static size_t class_bytes(size_t index);
  static Allocation describe(const Chunk& chunk, uint32_t slot);

  Chunk* add_chunk(size_t slot_bytes);
  uintptr_t carve(SizeClass& size_class);
  uintptr_t recycle(SizeClass& size_class, Reuse* reuse);
  bool extend(uintptr_t to);
  const Chunk* chunk_of(uintptr_t address) const;
  Slot* slot_of(uintptr_t buffer) const;

  uintptr_t start_;
  uintptr_t end_;
  uintptr_t frontier_;  // chunks lie below
  uintptr_t opened_;    // pages below are accessible
  std::array<SizeClass, kClasses> classes_;
  std::vector<Chunk*> chunks_;
  std::vector<Chunk*> units_;  // the chunk that covers each unit of the region
};

}  // namespace hipaudit
