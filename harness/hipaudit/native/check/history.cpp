// What a word remembers: who wrote it last and who read it, two threads of each where that takes
// two, as far apart as any. Then whoever conflicts with one of all the others conflicts with one of
// those two.
//
// There is room for one second record a word. It belongs to the writes where their first record
// says that there is a second one, else to the reads.
#include <sched.h>

#include <algorithm>

#include "check/epochs.h"
#include "check/step.h"

namespace hipaudit {
namespace {

// Atomics race with each other only when the scope of one does not include the other. A plain
// access comes after the atomics of the same place whose results its thread has seen: the last
// block that took a ticket may set their counter back. Within a block a read needs a barrier all
// the same.
bool excused(const Step& c, const Record& record) {
  if (!record.atomic()) return false;
  Reach needed = distance(c, record);
  if (record.reach() < needed) return false;
  if (c.flags.kind == Access::atomic) return c.flags.reach >= needed;
  return (needed == Reach::device || c.stores()) && has_seen(c.now, c.address, needed);
}

bool races(const Step& c, const Record& record, uint32_t mask) {
  return (record.mask() & mask) != 0 && !happened_before(record, c.now) && !excused(c, record);
}

Record record_of(const Step& c, uint32_t mask) {
  return Record(c.now.check->epoch, c.now.thread, mask, c.flags.reach, c.site);
}

struct Pair {
  Record first;
  Record second;  // empty: there is none
};

struct Known {
  Pair writes;
  Pair reads;
};

uint64_t* place_of(Record& record) { return reinterpret_cast<uint64_t*>(&record); }
uint64_t load(Record& record) { return __atomic_load_n(place_of(record), __ATOMIC_SEQ_CST); }

// While it lives, nobody else changes what a word remembers, but for who wrote it last: whom that
// exchange succeeds for finds the word locked, and looks at it again. The lock is a bit of the
// first reader's record.
class WordLock {
 public:
  WordLock(const Step& c, size_t word)
      : reads_(c.several ? place_of(c.shadow.reads[word]) : nullptr) {
    for (unsigned tries = 0; reads_ != nullptr; ++tries) {
      uint64_t seen = __atomic_load_n(reads_, __ATOMIC_SEQ_CST) & ~Record::kLocked;
      if (__atomic_compare_exchange_n(reads_, &seen, seen | Record::kLocked, false,
                                      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return;
      constexpr unsigned kPatience = 64;
      if (tries >= kPatience) sched_yield();
    }
  }
  ~WordLock() {
    if (reads_ != nullptr) __atomic_and_fetch(reads_, ~Record::kLocked, __ATOMIC_SEQ_CST);
  }
  WordLock(const WordLock&) = delete;
  WordLock& operator=(const WordLock&) = delete;

 private:
  uint64_t* reads_;
};

// False: another worker changed it since it was looked at, which only a write's record can be.
bool put_write(const Step& c, size_t word, const Record& seen, const Record& record) {
  uint64_t* place = place_of(c.shadow.writes[word]);
  if (!c.several) {
    *place = record.bits();
    return true;
  }
  uint64_t expected = seen.bits();
  return __atomic_compare_exchange_n(place, &expected, record.bits(), false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST);
}

void put_read(const Step& c, size_t word, const Record& record) {
  uint64_t locked = c.several ? Record::kLocked : 0;
  __atomic_store_n(place_of(c.shadow.reads[word]), record.bits() | locked, __ATOMIC_SEQ_CST);
}

Pair look_at(const Step& c, size_t word, const Record& first) {
  if (first.relation() == Relation::one) return {first, Record()};
  return {first, c.shadow.seconds.get(word, first.second_reach())};
}

Known look(const Step& c, size_t word) {
  Record write(load(c.shadow.writes[word]));
  Record read(load(c.shadow.reads[word]) & ~Record::kLocked);
  return {look_at(c, word, write), look_at(c, word, read)};
}

bool is_mine(const Step& c, const Record& record) {
  return record.thread() == c.now.thread && c.now.check->contains(record);
}

// Of two records that are not the same thread's.
Relation relation(const Step& c, const Record& a, const Record& b) {
  bool together = (c.now.check->contains(a) && c.now.check->contains(b)) ||
                  block_of(a.epoch()) == block_of(b.epoch());
  if (!together) return Relation::grid;
  if (wave_of(a, c.now) != wave_of(b, c.now)) return Relation::block;
  return ((a.thread() ^ b.thread()) >= kHalfWave) ? Relation::wave : Relation::half;
}

// A thread's accesses as one: a plain one weighs more than an atomic one that comes on top of it,
// which the next thread's atomic does not race with. Bytes accessed before a release stay out: they
// are older than what the record then says.
Record merged(const Step& c, const Record& old, uint32_t mask) {
  bool keep = c.flags.reach != Reach::none && !old.atomic() && (old.mask() & mask) == mask &&
              old.epoch() > c.now.check->past.of(c.now.shared);
  if (keep) return old.alone();
  bool together =
      old.epoch() == c.now.check->epoch && old.atomic() == (c.flags.reach != Reach::none);
  return record_of(c, together ? mask | old.mask() : mask);
}

// The pair after one more access.
Pair with_access(const Step& c, const Pair& old, uint32_t mask) {
  Record mine = record_of(c, mask);
  bool second_past = old.second.empty() || happened_before(old.second, c.now);
  if (is_mine(c, old.first))
    return {merged(c, old.first, mask), second_past ? Record() : old.second};
  bool first_past = old.first.empty() || happened_before(old.first, c.now);
  if (is_mine(c, old.second))
    return {first_past ? merged(c, old.second, mask) : old.first,
            first_past ? Record() : merged(c, old.second, mask)};
  if (first_past) return {mine, second_past ? Record() : old.second};
  if (second_past) return {old.first, mine};
  bool further = relation(c, mine, old.first) > relation(c, old.second, old.first);
  bool uncovered = ((old.first.mask() | old.second.mask()) & mask) != mask;
  bool plainer = old.first.atomic() && old.second.atomic() && !mine.atomic();
  return further || uncovered || plainer ? Pair{old.first, mine} : old;
}

bool same(const Pair& a, const Pair& b) {
  return a.first.alone().bits() == b.first.alone().bits() && a.second.bits() == b.second.bits();
}

// Makes the slot for second records free of the other pair's, if that one matters no more or counts
// less: reads give way to writes.
bool free_slot(const Step& c, size_t word, const Pair& other) {
  if (other.second.empty()) return true;
  if (!c.stores() && !happened_before(other.second, c.now)) return false;
  if (!c.stores()) return put_write(c, word, other.first, other.first.alone());
  put_read(c, word, other.first.alone());
  return true;
}

// Stores the pair in the place of what was there. False: another worker wrote in between.
bool store(const Step& c, size_t word, const Known& known, Pair fresh, bool raced) {
  const Pair& old = c.stores() ? known.writes : known.reads;
  const Pair& other = c.stores() ? known.reads : known.writes;
  if (!fresh.second.empty() && !free_slot(c, word, other)) fresh.second = Record();
  Record first = fresh.first.alone();
  if (!fresh.second.empty()) {
    c.shadow.seconds.set(word, fresh.second);
    first = first.with_second(relation(c, fresh.first, fresh.second), fresh.second.reach());
  }
  if (!c.stores()) {
    put_read(c, word, raced ? first.raced() : first);
    return true;
  }
  if (!put_write(c, word, old.first, first)) return false;
  // Later reads find the write themselves.
  if (raced) put_read(c, word, Record(load(c.shadow.reads[word]) & ~Record::kLocked).raced());
  return true;
}

// A plain write whose record is there already: another worker came between it and the look that
// decides most accesses, or the thread's last write was at the same place. Whoever wrote since has
// found the record, and tells of the two.
bool announced(const Step& c, const Record& write, uint32_t mask) {
  return c.several && c.flags.kind == Access::write && is_mine(c, write) && !write.atomic() &&
         write.epoch() == c.now.check->epoch && write.site() == c.site &&
         (mask & ~write.mask()) == 0;
}

}  // namespace

size_t note_access(const Step& c, size_t word, uint32_t mask,
                   Conflict (&conflicts)[kMostConflicts]) {
  WordLock lock(c, word);
  for (;;) {
    Known known = look(c, word);
    size_t count = 0;
    auto compare = [&](const Record& record, bool stored) {
      if (races(c, record, mask)) conflicts[count++] = {record, stored};
    };
    compare(known.writes.first, true);
    if (!announced(c, known.writes.first, mask)) compare(known.writes.second, true);
    if (c.stores()) compare(known.reads.first, false);
    if (c.stores()) compare(known.reads.second, false);
    const Pair& old = c.stores() ? known.writes : known.reads;
    Pair fresh = with_access(c, old, mask);
    if (count == 0 && same(fresh, old)) return 0;
    if (store(c, word, known, fresh, count > 0)) return count;
  }
}

}  // namespace hipaudit
