// A hash table of record numbers: open addressing, eight bytes a slot, no tombstones. Keys are the
// caller's: it gives their hash and says whether a number is the one that it looks for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace hipaudit::ledger {

inline uint32_t mix(uint64_t key) {
  key = (key ^ (key >> 32)) * 0x9e3779b97f4a7c15;
  key = (key ^ (key >> 29)) * 0xbf58476d1ce4e5b9;
  return static_cast<uint32_t>(key >> 32);
}

// The same hash may stand for several numbers. Numbers are below 2^32 - 1.
class Table {
 public:
  Table() { resize(10); }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table() { free(slots_); }

  void insert(uint32_t hash, uint32_t number) {
    if ((count_ + 1) * 3 > (size_t{1} << bits_) * 2) resize(bits_ + 1);
    place(slot_of(hash, number));
    ++count_;
  }

  // The first number of that hash for which `is_it` says so; `missing` when there is none.
  template <typename Predicate>
  uint32_t find(uint32_t hash, Predicate is_it) const {
    for (size_t at = home(hash);; at = next(at)) {
      uint64_t slot = slots_[at];
      if (slot == 0) return missing;
      if (hash_of(slot) == hash && is_it(number_of(slot))) return number_of(slot);
    }
  }

  bool erase(uint32_t hash, uint32_t number) {
    uint64_t wanted = slot_of(hash, number);
    size_t at = home(hash);
    while (slots_[at] != wanted) {
      if (slots_[at] == 0) return false;
      at = next(at);
    }
    close_gap(at);
    --count_;
    return true;
  }

  void prefetch(uint32_t hash) const { __builtin_prefetch(&slots_[home(hash)]); }

  static constexpr uint32_t missing = UINT32_MAX;

 private:
  static uint64_t slot_of(uint32_t hash, uint32_t number) {
    return uint64_t{hash} << 32 | (number + 1);
  }
  static uint32_t hash_of(uint64_t slot) { return static_cast<uint32_t>(slot >> 32); }
  static uint32_t number_of(uint64_t slot) { return static_cast<uint32_t>(slot) - 1; }
  size_t home(uint32_t hash) const { return hash >> (32 - bits_); }
  size_t next(size_t at) const { return (at + 1) & ((size_t{1} << bits_) - 1); }

  void place(uint64_t slot) {
    size_t at = home(hash_of(slot));
    while (slots_[at] != 0) at = next(at);
    slots_[at] = slot;
  }

  // Moves later entries of the run back, so that each is still found from its home.
  void close_gap(size_t gap) {
    size_t mask = (size_t{1} << bits_) - 1;
    for (size_t at = next(gap); slots_[at] != 0; at = next(at)) {
      size_t wanted = home(hash_of(slots_[at]));
      if (((at - wanted) & mask) < ((at - gap) & mask)) continue;
      slots_[gap] = slots_[at];
      gap = at;
    }
    slots_[gap] = 0;
  }

  void resize(unsigned bits) {
    uint64_t* old = slots_;
    size_t old_size = old != nullptr ? size_t{1} << bits_ : 0;
    slots_ = static_cast<uint64_t*>(calloc(size_t{1} << bits, sizeof(uint64_t)));
    if (slots_ == nullptr) abort();  // the process has no memory left
    bits_ = bits;
    for (size_t i = 0; i < old_size; ++i)
      if (old[i] != 0) place(old[i]);
    free(old);
  }

  uint64_t* slots_ = nullptr;
  unsigned bits_ = 0;
  size_t count_ = 0;
};

}  // namespace hipaudit::ledger
