#include "records.h"

#include "uses.h"

namespace hipaudit::ledger {
namespace {

struct Names {
  const char* name;
  const char* title;
};

constexpr Names kNames[kKinds] = {
    {"device", "device allocation"},
    {"async", "device allocation"},
    {"pool", "device allocation"},
    {"pitched", "device allocation"},
    {"extended", "device allocation"},
    {"managed", "managed allocation"},
    {"host", "pinned host allocation"},
    {"registered", "registered host allocation"},
    {"ipc", "memory of another process"},
    {"static", "module variable"},
    {"array", "array"},
    {"stream", "stream"},
    {"event", "event"},
    {"module", "module"},
    {"mempool", "memory pool"},
    {"graph", "graph"},
    {"graph-exec", "executable graph"},
};

uint32_t handle_hash(uint64_t handle, Kind kind) {
  return mix(handle ^ uint64_t{static_cast<uint8_t>(kind)} << 56);
}

// An allocation of class c is larger than half of 2^c, and touches at most two blocks of that size.
uint32_t block_hash(uint64_t block, unsigned size_class) { return mix(block * 64 + size_class); }

unsigned class_of(uint64_t size, unsigned smallest) {
  unsigned bits = size > 1 ? 64 - static_cast<unsigned>(__builtin_clzll(size - 1)) : 0;
  return bits < smallest ? smallest : bits;
}

bool holds(const Record& record, uint64_t address) {
  return address >= record.address && address - record.address < record.size;
}

}  // namespace

const char* kind_name(Kind kind) { return kNames[static_cast<int>(kind)].name; }
const char* kind_title(Kind kind) { return kNames[static_cast<int>(kind)].title; }

Record& Records::make(uint64_t address, uint64_t size, Kind kind) {
  uint32_t index = 0;
  if (!unused_.empty()) {
    index = unused_.back();
    unused_.pop_back();
  } else {
    index = static_cast<uint32_t>(records_.size());
    records_.emplace_back();
  }
  Record& record = records_[index];
  record = Record{};
  record.address = address;
  record.size = size;
  record.kind = kind;
  record.live = true;
  record.used = true;
  record.index = index;
  record.serial = ++last_serial_;
  // Memory is counted as a whole, handles by their kind.
  record.number = ++last_number_[is_memory(kind) ? 0 : static_cast<int>(kind)];
  return record;
}

template <typename Change>
void Records::each_block(const Record& record, Change change) {
  unsigned size_class = class_of(record.size, kSmallestClass);
  uint64_t first = record.address >> size_class;
  uint64_t last = (record.address + record.size - 1) >> size_class;
  change(block_hash(first, size_class));
  if (last != first) change(block_hash(last, size_class));
}

void Records::enter(Record& record) {
  memory_.insert(mix(record.address), record.index);
  if (record.size == 0) return;
  ++in_class_[class_of(record.size, kSmallestClass)];
  each_block(record, [&](uint32_t hash) { blocks_.insert(hash, record.index); });
}

void Records::leave(Record& record) {
  memory_.erase(mix(record.address), record.index);
  if (record.size == 0) return;
  --in_class_[class_of(record.size, kSmallestClass)];
  each_block(record, [&](uint32_t hash) { blocks_.erase(hash, record.index); });
}

Record& Records::add_memory(uint64_t address, uint64_t size, Kind kind) {
  if (Record* before = find_memory(address)) forget(*before);
  Record& record = make(address, size, kind);
  has_globals_ = has_globals_ || kind == Kind::global;
  enter(record);
  return record;
}

Record& Records::add_handle(uint64_t handle, Kind kind) {
  if (Record* before = find_handle(handle, kind)) forget(*before);
  Record& record = make(handle, 0, kind);
  handles_.insert(handle_hash(handle, kind), record.index);
  return record;
}

Record* Records::find_memory(uint64_t address) {
  uint32_t found =
      memory_.find(mix(address), [&](uint32_t at) { return records_[at].address == address; });
  return found != Table::missing ? &records_[found] : nullptr;
}

Record* Records::find_handle(uint64_t handle, Kind kind) {
  auto same = [&](uint32_t at) {
    return records_[at].address == handle && records_[at].kind == kind;
  };
  uint32_t found = handles_.find(handle_hash(handle, kind), same);
  return found != Table::missing ? &records_[found] : nullptr;
}

Record* Records::pick(uint64_t address, unsigned size_class, Record* best) {
  blocks_.find(block_hash(address >> size_class, size_class), [&](uint32_t at) {
    Record& record = records_[at];
    if (!holds(record, address)) return false;
    bool better = best == nullptr || (record.live && !best->live) ||
                  (record.live == best->live && record.serial > best->serial);
    if (better) best = &record;
    return false;  // look at all of them
  });
  return best;
}

Record* Records::find_holder(uint64_t address) {
  Record* best = find_memory(address);
  if (best != nullptr && !holds(*best, address)) best = nullptr;
  for (unsigned size_class = kSmallestClass; size_class < 64; ++size_class) {
    if (best != nullptr && best->live) return best;
    if (in_class_[size_class] != 0) best = pick(address, size_class, best);
  }
  return best;
}

Record* Records::find_live(uint64_t address) {
  Record* record = find_holder(address);
  return record != nullptr && record->live ? record : nullptr;
}

Record* Records::find_neighbour(uint64_t address, uint64_t reach) {
  constexpr uint64_t kStep = 8;
  for (uint64_t distance = 1; distance <= reach; distance += kStep) {
    Record* before = address >= distance ? find_holder(address - distance) : nullptr;
    if (before != nullptr && before->live) return before;
    Record* after = find_holder(address + distance);
    if (after != nullptr && after->live) return after;
  }
  return nullptr;
}

void Records::bury(Record& record) {
  record.live = false;
  drop_history(record);
  buried_.push_back({record.index, record.serial});
  if (buried_.size() <= kRemembered) return;
  Grave oldest = buried_.front();
  buried_.pop_front();
  Record& gone = records_[oldest.index];
  if (gone.used && !gone.live && gone.serial == oldest.serial) forget(gone);
}

void Records::forget(Record& record) {
  drop_history(record);
  if (is_memory(record.kind))
    leave(record);
  else
    handles_.erase(handle_hash(record.address, record.kind), record.index);
  record.used = false;
  record.live = false;
  unused_.push_back(record.index);
}

}  // namespace hipaudit::ledger
