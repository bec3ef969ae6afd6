// One access as the shadow keeps it, packed to compare fast.
//
// Bits, from the top: 26 epoch, 10 thread within the block, 4 bytes of the word, 2 reach; then, of
// the first of two records of a word, 1 raced, 3 relation and 2 reach of the second; of a first
// reader's, 1 locked; 1 unused; 14 site. A record of 0 stands for no access.
#pragma once

#include <cstdint>

namespace hipaudit {

// Whom an atomic excludes: nobody (a plain access), the lanes of its wave, its block, everybody.
enum class Reach : uint8_t { none, wave, block, device };

// Of a memory scope as __hip_atomic_* numbers them: singlethread, wavefront, workgroup, agent,
// system.
constexpr Reach reach_of(int scope) {
  return scope <= 1   ? Reach::none
         : scope == 2 ? Reach::wave
         : scope == 3 ? Reach::block
                      : Reach::device;
}

// How far apart the two threads are that a word remembers: one thread only, lanes of one half of a
// wave of 64, the two halves, two waves, two blocks.
enum class Relation : uint8_t { one, half, wave, block, grid };
constexpr uint32_t kHalfWave = 32;

class Record {
 public:
  static constexpr unsigned kEpochBit = 38;
  static constexpr unsigned kThreadBit = 28;
  static constexpr unsigned kMaskBit = 24;
  static constexpr unsigned kReachBit = 22;
  static constexpr unsigned kRacedBit = 21;
  static constexpr unsigned kRelationBit = 18;
  static constexpr unsigned kSecondReachBit = 16;
  // A worker changes what the word remembers: nobody else may, where several use the shadow.
  static constexpr uint64_t kLocked = uint64_t{1} << 15;
  static constexpr uint64_t kThreadBits = uint64_t{0x3ff} << kThreadBit;
  static constexpr uint64_t kMaskBits = uint64_t{0xf} << kMaskBit;
  static constexpr uint32_t kMostEpochs = 1u << 26;
  static constexpr uint32_t kMostSites = 1u << 14;
  // Mask, reach, raced and relation in one: a plain read of the whole word that no write raced
  // with.
  static constexpr unsigned kTagBit = kRelationBit;
  static constexpr uint32_t kTagBits = 0x3ff;
  static constexpr uint32_t tag_of(Relation relation) {
    return 0xfu << (kMaskBit - kTagBit) | static_cast<uint32_t>(relation);
  }

  Record() = default;
  explicit Record(uint64_t bits) : bits_(bits) {}
  Record(uint32_t epoch, uint32_t thread, uint32_t mask, Reach reach, uint16_t site)
      : bits_(uint64_t{epoch} << kEpochBit | uint64_t{thread} << kThreadBit |
              uint64_t{mask} << kMaskBit | static_cast<uint64_t>(reach) << kReachBit | site) {}

  uint64_t bits() const { return bits_; }
  bool empty() const { return bits_ == 0; }
  uint32_t epoch() const { return static_cast<uint32_t>(bits_ >> kEpochBit); }
  uint32_t thread() const { return bits_ >> kThreadBit & 0x3ff; }
  uint32_t mask() const { return bits_ >> kMaskBit & 0xf; }
  Reach reach() const { return static_cast<Reach>(bits_ >> kReachBit & 3); }
  bool atomic() const { return reach() != Reach::none; }
  uint16_t site() const { return bits_ & (kMostSites - 1); }
  // Only of the first of two: what the second one is to it.
  Relation relation() const { return static_cast<Relation>(bits_ >> kRelationBit & 7); }
  Reach second_reach() const { return static_cast<Reach>(bits_ >> kSecondReachBit & 3); }
  Record with_second(Relation relation, Reach reach) const {
    uint64_t both = static_cast<uint64_t>(relation) << 2 | static_cast<uint64_t>(reach);
    return Record((bits_ & ~(uint64_t{0x1f} << kSecondReachBit)) | both << kSecondReachBit);
  }
  // Without what only the first of two has.
  Record alone() const { return Record(bits_ & ~(uint64_t{0x3f} << kSecondReachBit)); }
  // Of a word's first reader: a write conflicted with it, so that it speaks for no other reader.
  Record raced() const { return Record(bits_ | uint64_t{1} << kRacedBit); }

 private:
  uint64_t bits_ = 0;
};
static_assert(sizeof(Record) == 8, "a record is one word");

}  // namespace hipaudit
