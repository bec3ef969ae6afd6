// Shadow memory: what is known of every 4 bytes that a kernel can reach.
//
// The state byte of a word says which of its bytes may be accessed and which hold a value. Three
// records tell who wrote it last and which two threads read it. Each kind lies in an array of its
// own, so that memory which is only read, or only written, costs no more than it must: 6 bytes a
// byte at the most. Device memory has its shadow at fixed linear places, mapped but not touched
// until the memory is; shared memory has one per worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "check/record.h"
#include "device/memory.h"

namespace hipaudit {

// Bits 0-3: the byte holds a value. Bits 4-7: the byte belongs to a live variable or buffer.
using State = uint8_t;
constexpr State kInitialised = 0x0f;
constexpr State kAddressable = 0xf0;

constexpr uintptr_t kStateBase = 0x100000000000;
constexpr uintptr_t kWriteBase = 0x300000000000;
constexpr uintptr_t kReadBase = 0x320000000000;
constexpr uintptr_t kSecondBase = 0x340000000000;

// The second readers, a record of 7 bytes each: epoch, thread, mask and site. Its reach is with the
// first reader.
class SecondReads {
 public:
  static constexpr size_t kStride = 7;
  SecondReads() = default;
  explicit SecondReads(uintptr_t base) : base_(base) {}
  uintptr_t base() const { return base_; }
  Record get(size_t word, Reach reach) const {
    uint64_t packed = 0;
    memcpy(&packed, at(word), kStride);
    return Record(packed >> kSiteBits << Record::kMaskBit |
                  static_cast<uint64_t>(reach) << Record::kReachBit |
                  (packed & (Record::kMostSites - 1)));
  }
  void set(size_t word, Record record) const {
    uint64_t packed = record.bits() >> Record::kMaskBit << kSiteBits | record.site();
    memcpy(at(word), &packed, kStride);
  }

 private:
  static constexpr unsigned kSiteBits = 14;
  void* at(size_t word) const { return reinterpret_cast<void*>(base_ + word * kStride); }
  uintptr_t base_ = 0;
};
static_assert(64 - Record::kMaskBit + 14 <= 8 * SecondReads::kStride, "nothing is cut off");

// The shadow of one address space; words count from the space's first byte.
struct Shadow {
  State* states = nullptr;
  Record* writes = nullptr;
  Record* reads = nullptr;
  SecondReads seconds;
};

Shadow device_shadow();
// One for shared memory of at most `bytes`. Without states: it cannot be had.
Shadow new_shadow(size_t bytes);

inline State* state_of(uintptr_t address) {
  return reinterpret_cast<State*>(kStateBase + (address - kDeviceBase) / 4);
}

// Maps the shadow of device memory. False, with the reason on stderr, when the addresses are taken.
bool map_shadow();

// Sets or clears bits of the state of every byte of [address, address + size) in device memory.
void mark(uintptr_t address, size_t size, State set, State clear);
// The same over an array of states whose first word is at offset 0.
void mark_states(State* states, size_t offset, size_t size, State set, State clear);
// Gives the shadow's pages back to the system where whole ones lie within the range.
void forget(uintptr_t address, size_t size);
// Drops all records of accesses to device memory.
void forget_accesses();
// The same of a shadow of shared memory of at most `bytes`.
void forget_accesses(const Shadow& shadow, size_t bytes);

}  // namespace hipaudit
