// Decides most accesses at once, from the context and the words' shadow: those that are within
// bounds and initialised, conflict with nothing, and leave no more to note than their own record.
//
// Anything else returns false and goes the long way (access.h), which looks at the whole access
// again. Depends on nothing of the device but its layouts.
#pragma once

#include <bit>
#include <cstdint>

#include "check/record.h"
#include "check/shadow.h"
#include "check/stripes.h"
#include "hipaudit/context.h"

#define HIPAUDIT_HOT __attribute__((always_inline)) inline

namespace hipaudit::fast {

// Records of one address space that later accesses of the running block may be unordered with.
struct Horizon {
  uint64_t floor;
  uint64_t span;
  bool contains(uint64_t record) const { return record - floor < span; }
};

// The lowest bit that two threads of different halves of a wave, or of different waves, differ in.
constexpr unsigned kHalfBit = Record::kThreadBit + std::countr_zero(kHalfWave);

inline bool same_thread(uint64_t a, uint64_t b) { return ((a ^ b) & Record::kThreadBits) == 0; }

// True when the record tells nothing that matters any more. A second reader in another block may
// still matter when the first one no longer does.
template <bool kGlobal>
bool past(const CheckWindow& window, const Horizon& horizon, uint64_t record) {
  if (horizon.contains(record)) return false;
  if (!kGlobal || record < window.launch_floor) return true;
  return record - window.block_floor < horizon.floor - window.block_floor &&
         Record(record).relation() != Relation::grid;
}

// True when what the record tells of happened before, or is the same thread's alone.
template <bool kGlobal>
bool ordered(const CheckWindow& window, const Horizon& horizon, uint64_t record, uint64_t now) {
  if (!horizon.contains(record)) return past<kGlobal>(window, horizon, record);
  return same_thread(record, now) && Record(record).relation() == Relation::one;
}

// True when a record is the running thread's plain one of its present epoch: of the same bytes or
// more, or with kMore of any, so that one record of all of them says as much as both.
template <bool kMore>
bool extends(uint64_t record, uint64_t now) {
  if (((record ^ now) & ~Record::kMaskBits) >> Record::kRacedBit != 0) return false;
  return kMore ? Record(record).relation() == Relation::one
               : (now & ~record & Record::kMaskBits) == 0;
}

// True when no later write can conflict with a read of now without conflicting with one of the two
// that the word remembers already.
template <bool kGlobal>
bool represented(const CheckWindow& window, const Horizon& horizon, uint64_t first, uint64_t now) {
  auto tag = static_cast<uint32_t>(first >> Record::kTagBit) & Record::kTagBits;
  // Where threads learn of each other through atomics, those two may be past and this one not.
  if (window.irregular == 0) {
    if (horizon.contains(first)) {
      if (tag == Record::tag_of(Relation::block) || tag == Record::tag_of(Relation::grid))
        return true;
      if (tag == Record::tag_of(Relation::half) && (first ^ now) >> kHalfBit == 0) return true;
      if (tag == Record::tag_of(Relation::wave) && (first ^ now) >> window.wave_bit == 0)
        return true;
    } else if (kGlobal && tag == Record::tag_of(Relation::grid) && first >= window.launch_floor) {
      return true;
    }
  }
  return extends<false>(first, now);  // by the same thread, just now
}

// The shadow that an access of one word, or of several whole ones, falls into.
struct Words {
  State* states;
  uint64_t* writes;
  uint64_t* reads;
  SecondReads seconds;
  bool several;  // other workers use it as well
};

// The number of the access at this place of the code; 0: it has none yet.
inline uint64_t site_of(const CheckWindow& window, uintptr_t pc) {
  return window.sites[pc - window.code];
}

// Puts a record in the place of one that was just looked at. Where other workers do the same, it
// must still be there and not be locked, and what the decision rested on besides must not have
// changed. What was seen comes without the lock's bit: whoever held it may have let go since.
inline bool replace(bool several, uint64_t* place, uint64_t seen, uint64_t record,
                    const uint64_t* beside, uint64_t seen_beside) {
  if (!several) {
    *place = record;
    return true;
  }
  return __atomic_compare_exchange_n(place, &seen, record, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST) &&
         __atomic_load_n(beside, __ATOMIC_SEQ_CST) == seen_beside;
}

// What a reader now is to the first one of a word, if it lies further from that one than the second
// one so far, and can take its place; else `one`.
template <bool kGlobal>
Relation further(const CheckWindow& window, const Horizon& horizon, uint64_t first, uint64_t now) {
  if (window.irregular != 0 || Record(now).mask() != 0xf) return Relation::one;
  uint64_t apart = (first ^ now) & Record::kThreadBits;
  Relation relation = apart >> window.wave_bit != 0 ? Relation::block
                      : apart >> kHalfBit != 0      ? Relation::wave
                                                    : Relation::half;
  if (horizon.contains(first)) {
    if (apart == 0) return Relation::one;
  } else {
    if (!kGlobal || first - window.block_floor < horizon.floor - window.block_floor)
      return Relation::one;
    relation = Relation::grid;
  }
  auto tag = static_cast<uint32_t>(first >> Record::kTagBit) & Record::kTagBits;
  bool nearer = tag >= Record::tag_of(Relation::one) && tag < Record::tag_of(relation);
  return nearer ? relation : Relation::one;
}

// Remembers a read of a whole word as the second one. `write` is what was seen of the writer.
inline bool remember_second(const Words& words, unsigned i, uint64_t first, uint64_t write,
                            Relation relation, uint64_t record) {
  if (Record(write).relation() != Relation::one) return false;  // a writer has the slot
  uint64_t both = Record(first).with_second(relation, Reach::none).bits();
  if (!words.several) {
    words.seconds.set(i, Record(record));
    words.reads[i] = both;
    return true;
  }
  uint64_t seen = first;
  if (!__atomic_compare_exchange_n(&words.reads[i], &seen, first | Record::kLocked, false,
                                   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    return false;
  // Who writes after this finds the word locked, and looks again.
  bool still = __atomic_load_n(&words.writes[i], __ATOMIC_SEQ_CST) == write;
  if (still) words.seconds.set(i, Record(record));
  __atomic_store_n(&words.reads[i], still ? both : first, __ATOMIC_RELEASE);
  return still;
}

inline Words shared_words(const CheckWindow& window, uintptr_t offset) {
  return {window.shared_states + offset / 4,
          reinterpret_cast<uint64_t*>(window.shared_writes) + offset / 4,
          reinterpret_cast<uint64_t*>(window.shared_reads) + offset / 4,
          SecondReads(window.shared_seconds + offset / 4 * SecondReads::kStride), false};
}

inline Words global_words(uintptr_t offset, bool several) {
  size_t word = offset / 4;
  return {reinterpret_cast<State*>(kStateBase) + word,
          reinterpret_cast<uint64_t*>(kWriteBase) + word,
          reinterpret_cast<uint64_t*>(kReadBase) + word,
          SecondReads(kSecondBase + word * SecondReads::kStride), several};
}

// What an access of kSize bytes touches: so many words, or part of one.
template <unsigned kSize>
constexpr unsigned kWordsOf = kSize < 4 ? 1 : kSize / 4;

// What an access must be aligned to so that it touches whole words, or one.
template <unsigned kSize>
constexpr unsigned kAlign = kSize < 4 ? kSize : 4;

// The running thread's present, as the record of a plain access without a site.
template <unsigned kSize>
uint64_t present(const Context& here, uintptr_t address) {
  uint64_t mask = kSize >= 4 ? 0xf : uint64_t{(1u << kSize) - 1} << address % 4;
  return here.check.epoch | uint64_t{here.thread.flat} << Record::kThreadBit |
         mask << Record::kMaskBit;
}

// The state of a word whose bytes in the record's mask are there and hold something.
inline State whole(uint64_t record) { return static_cast<State>(Record(record).mask() * 0x11); }

template <bool kGlobal>
Horizon horizon_of(const CheckWindow& window) {
  return kGlobal ? Horizon{window.global_floor, window.global_span}
                 : Horizon{window.shared_floor, window.shared_span};
}

// True for a read of which nothing has to be looked at but the words' first reader: where that one
// stands for the running thread, it has seen to all the rest. (A write that conflicts with a reader
// marks it as raced, so that what follows goes the long way.)
template <unsigned kWords, bool kGlobal>
HIPAUDIT_HOT bool stood_for(const CheckWindow& window, const Words& words, uint64_t now) {
  // Most often one access of as many words read them first.
  for (unsigned i = 1; i < kWords; ++i)
    if (words.reads[i] != words.reads[0]) return false;
  return represented<kGlobal>(window, horizon_of<kGlobal>(window), words.reads[0], now);
}

// A read of shared memory, by offset from its start, that is decided by that alone.
template <unsigned kSize>
HIPAUDIT_HOT bool read_again(Context& here, uintptr_t offset) {
  CheckWindow& window = here.check;
  if (offset % kAlign<kSize> != 0 || window.attention != 0) return false;
  const Words words = shared_words(window, offset);
  if (!stood_for<kWordsOf<kSize>, false>(window, words, present<kSize>(here, offset))) return false;
  ++window.accesses;
  return true;
}

template <unsigned kWords, bool kGlobal>
HIPAUDIT_HOT bool read_words(const Context& here, const Horizon& horizon, const Words& words,
                             uint64_t now, uintptr_t pc) {
  const CheckWindow& window = here.check;
  State bytes = whole(now);
  for (unsigned i = 0; i < kWords; ++i) {
    uint64_t first = words.reads[i];
    if (represented<kGlobal>(window, horizon, first, now)) continue;
    first &= ~Record::kLocked;
    uint64_t write = words.writes[i];
    if ((words.states[i] & bytes) != bytes || !ordered<kGlobal>(window, horizon, write, now))
      return false;
    uint64_t site = site_of(window, pc);
    if (site == 0) return false;
    if (past<kGlobal>(window, horizon, first)) {
      if (!replace(words.several, &words.reads[i], first, now | site, &words.writes[i], write))
        return false;
    } else if (extends<true>(first, now)) {
      uint64_t both = now | (first & Record::kMaskBits) | site;
      if (!replace(words.several, &words.reads[i], first, both, &words.writes[i], write))
        return false;
    } else {
      Relation relation = further<kGlobal>(window, horizon, first, now);
      if (relation == Relation::one ||
          !remember_second(words, i, first, write, relation, now | site))
        return false;
    }
  }
  return true;
}

// A read of several whole words that the same threads read before: one decision is all of theirs.
template <unsigned kWords, bool kGlobal>
HIPAUDIT_HOT bool read_alike(const Context& here, const Horizon& horizon, const Words& words,
                             uint64_t now, uintptr_t pc) {
  const CheckWindow& window = here.check;
  if (words.several) return false;
  uint64_t first = words.reads[0];
  bool seconds_free = true;
  for (unsigned i = 0; i < kWords; ++i) {
    uint64_t write = words.writes[i];
    if (words.reads[i] != first || words.states[i] != whole(now) ||
        !ordered<kGlobal>(window, horizon, write, now))
      return false;
    seconds_free = seconds_free && Record(write).relation() == Relation::one;
  }
  uint64_t site = site_of(window, pc);
  if (site == 0) return false;
  if (past<kGlobal>(window, horizon, first)) {
    for (unsigned i = 0; i < kWords; ++i) words.reads[i] = now | site;
    return true;
  }
  Relation relation = further<kGlobal>(window, horizon, first, now);
  if (relation == Relation::one || !seconds_free) return false;
  uint64_t both = Record(first).with_second(relation, Reach::none).bits();
  for (unsigned i = 0; i < kWords; ++i) {
    words.seconds.set(i, Record(now | site));
    words.reads[i] = both;
  }
  return true;
}

template <unsigned kWords, bool kGlobal>
HIPAUDIT_HOT bool write_words(const Context& here, const Horizon& horizon, const Words& words,
                              uint64_t now, uintptr_t pc) {
  const CheckWindow& window = here.check;
  uint64_t site = site_of(window, pc);
  if (site == 0) return false;
  State bytes = whole(now);
  for (unsigned i = 0; i < kWords; ++i) {
    uint64_t write = words.writes[i];
    uint64_t first = words.reads[i] & ~Record::kLocked;
    uint64_t mine = extends<true>(write, now) ? now | (write & Record::kMaskBits) : now;
    if ((words.states[i] & bytes & kAddressable) != (bytes & kAddressable) ||
        !ordered<kGlobal>(window, horizon, write, now) ||
        !ordered<kGlobal>(window, horizon, first, now) ||
        // The thread's own write to more bytes is not forgotten for one to fewer.
        (horizon.contains(write) && (write & ~mine & Record::kMaskBits) != 0) ||
        !replace(words.several, &words.writes[i], write, mine | site, &words.reads[i], first))
      return false;
    if ((words.states[i] & bytes) == bytes) continue;
    if (words.several)
      __atomic_fetch_or(&words.states[i], bytes, __ATOMIC_RELAXED);
    else
      words.states[i] |= bytes;
  }
  return true;
}

// Decides an access of kWords words' shadow, of those bytes that `now` has.
template <unsigned kWords, bool kWrite, bool kGlobal>
HIPAUDIT_HOT bool decide(const Context& here, const Words& words, uint64_t now, uintptr_t pc) {
  const CheckWindow& window = here.check;
  Horizon horizon = horizon_of<kGlobal>(window);
  if (kWrite) return write_words<kWords, kGlobal>(here, horizon, words, now, pc);
  return (kWords > 1 && read_alike<kWords, kGlobal>(here, horizon, words, now, pc)) ||
         read_words<kWords, kGlobal>(here, horizon, words, now, pc);
}

// The same of device memory.
template <unsigned kWords, bool kWrite>
HIPAUDIT_HOT bool decide_global(const Context& here, uintptr_t offset, uint64_t now, uintptr_t pc) {
  const CheckWindow& window = here.check;
  if (window.several == 0)
    return decide<kWords, kWrite, true>(here, global_words(offset, false), now, pc);
  // Who changes nothing need not visit.
  if (!kWrite && stood_for<kWords, true>(window, global_words(offset, true), now)) return true;
  bool several = share_or_visit(window, stripe_of(offset));
  bool decided = decide<kWords, kWrite, true>(here, global_words(offset, several), now, pc);
  if (!several) end_visit(window);
  return decided;
}

// An access that lies askew: word by word, of each the bytes that are touched.
template <bool kWrite, bool kGlobal>
__attribute__((noinline)) bool access_askew(const Context& here, uintptr_t offset, unsigned size,
                                            uintptr_t pc) {
  for (uintptr_t word = offset & ~uintptr_t{3}; word < offset + size; word += 4) {
    uintptr_t low = word < offset ? offset - word : 0;
    uintptr_t high = word + 4 > offset + size ? offset + size - word : 4;
    uint64_t bytes = (uint64_t{1} << high) - (uint64_t{1} << low);
    uint64_t now = present<0>(here, 0) | bytes << Record::kMaskBit;
    bool decided = kGlobal
                       ? decide_global<1, kWrite>(here, word, now, pc)
                       : decide<1, kWrite, false>(here, shared_words(here.check, word), now, pc);
    if (!decided) return false;
  }
  return true;
}

// Of shared memory, by offset from its start.
template <unsigned kSize, bool kWrite>
HIPAUDIT_HOT bool access_shared(Context& here, uintptr_t offset, uintptr_t pc) {
  CheckWindow& window = here.check;
  if (window.attention != 0) return false;
  bool decided = offset % kAlign<kSize> != 0
                     ? access_askew<kWrite, false>(here, offset, kSize, pc)
                     : decide<kWordsOf<kSize>, kWrite, false>(here, shared_words(window, offset),
                                                              present<kSize>(here, offset), pc);
  window.accesses += decided;
  return decided;
}

// Of device memory, by offset from kDeviceBase.
template <unsigned kSize, bool kWrite>
HIPAUDIT_HOT bool access_global(Context& here, uintptr_t offset, uintptr_t pc) {
  CheckWindow& window = here.check;
  if (window.attention != 0) return false;
  bool across = kSize > 4 && offset % kStripeBytes > kStripeBytes - kSize;
  bool decided =
      offset % kAlign<kSize> != 0 || across
          ? access_askew<kWrite, true>(here, offset, kSize, pc)
          : decide_global<kWordsOf<kSize>, kWrite>(here, offset, present<kSize>(here, offset), pc);
  window.accesses += decided;
  window.moved += decided ? kSize : 0;
  return decided;
}

}  // namespace hipaudit::fast
