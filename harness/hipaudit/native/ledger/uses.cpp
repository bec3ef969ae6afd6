#include "uses.h"

#include <algorithm>
#include <set>

#include "ledger.h"
#include "zones.h"

namespace hipaudit::ledger {
namespace {

// Of more accesses than these the oldest are forgotten.
constexpr size_t kMostAccesses = 64;

// The bits of the bytes from one offset to another, as far as they are in a block.
uint64_t bits_between(uint64_t block, uint64_t begin, uint64_t end) {
  uint64_t start = block * Bytes::kBlock;
  uint64_t first = begin > start ? begin - start : 0;
  uint64_t last = std::min(end - start, Bytes::kBlock);
  uint64_t below = last == Bytes::kBlock ? ~uint64_t{0} : (uint64_t{1} << last) - 1;
  return below & ~uint64_t{0} << first;
}

bool has_bytes(const Bytes& bytes, uint64_t begin, uint64_t end) {
  uint64_t block = begin / Bytes::kBlock / bytes.step * bytes.step;
  if ((block + 1) * Bytes::kBlock <= begin) block += bytes.step;
  for (; block * Bytes::kBlock < end; block += bytes.step)
    if ((bytes.blocks[block / bytes.step] & bits_between(block, begin, end)) != 0) return true;
  return false;
}

bool overlap(const Access& a, const Access& b) {
  if (a.begin >= b.end || b.begin >= a.end) return false;
  if (a.bytes.blocks.empty() && b.bytes.blocks.empty()) return true;
  if (b.bytes.blocks.empty()) return has_bytes(a.bytes, b.begin, b.end);
  if (a.bytes.blocks.empty()) return has_bytes(b.bytes, a.begin, a.end);
  for (size_t i = 0; i < a.bytes.blocks.size(); ++i)
    if ((a.bytes.blocks[i] & b.bytes.blocks[i]) != 0) return true;
  return false;
}

bool conflict(Use a, Use b) {
  if (a == Use::free || b == Use::free) return true;
  return a == Use::write || b == Use::write;
}

Finding unordered(const Record& record, const Access& now, const Access& before) {
  Finding finding;
  bool freed = now.use == Use::free;
  finding.kind = freed ? "free-in-flight" : "missing-synchronisation";
  finding.subject = subject_of(record, record.address + now.begin);
  finding.bytes = std::min(now.end, before.end) - std::max(now.begin, before.begin);
  finding.access = freed ? "free" : now.use == Use::write ? "write" : "read";
  finding.call = now.call;
  finding.stack = now.stack;
  finding.kernel = now.kernel;
  finding.other_call = before.call;
  finding.other_stack = before.stack;
  finding.stream = ledger().order.name_of(now.slot);
  finding.other_stream = ledger().order.name_of(before.slot);
  finding.message = actor(now) + " " + verb(now.use) + " " + title(record) + ", which " +
                    actor(before) + " " + verb(before.use) + ": nothing orders the two";
  return finding;
}

bool contains(const Access& outer, const Access& inner) {
  if (outer.begin > inner.begin || inner.end > outer.end) return false;
  if (outer.bytes.blocks.empty()) return true;
  if (inner.bytes.blocks.empty()) return false;
  for (size_t i = 0; i < outer.bytes.blocks.size(); ++i)
    if ((inner.bytes.blocks[i] & ~outer.bytes.blocks[i]) != 0) return false;
  return true;
}

// What comes later is compared with the new access alone, where that says as much.
bool superseded(const Access& old, const Access& now, const Clock& clock) {
  if (ledger().order.before_host(old.slot, old.epoch)) return true;
  if (!Order::has(clock, old.slot, old.epoch) || !contains(now, old)) return false;
  return now.use == Use::write || (now.slot == old.slot && now.use == old.use);
}

}  // namespace

const char* verb(Use use) {
  switch (use) {
    case Use::read:
      return "reads";
    case Use::write:
      return "writes";
    case Use::touch:
      return "uses";
    case Use::free:
      return "frees";
  }
  return "uses";
}

std::string actor(const Access& access) {
  std::string name = access.call;
  if (*access.kernel != '\0') name = "the kernel " + std::string(access.kernel);
  return name + " on " + ledger().order.name_of(access.slot);
}

const char* interned(const std::string& text) {
  static auto* texts = new std::set<std::string>;
  return texts->insert(text).first->c_str();
}

Access access_by(const Call& call, int slot, Use use, uint64_t begin, uint64_t end,
                 const char* kernel) {
  Access access;
  access.begin = begin;
  access.end = end;
  access.epoch = ledger().order.lane(slot).clock[static_cast<size_t>(slot)];
  access.call = call.name;
  access.kernel = kernel;
  access.stack = call.stack;
  access.slot = slot;
  access.use = use;
  return access;
}

void note_use(Record& record, const Access& access, std::vector<Finding>* findings) {
  note_used(record);
  if (*access.kernel != '\0') ++ledger().totals.uses(record.site).launches;
  if (record.history == nullptr) record.history = new History;
  std::vector<Access>& known = record.history->accesses;
  const Clock& clock = ledger().order.lane(access.slot).clock;
  for (const Access& before : known)
    if (overlap(before, access) && conflict(before.use, access.use) &&
        !Order::has(clock, before.slot, before.epoch))
      findings->push_back(unordered(record, access, before));
  known.erase(std::remove_if(known.begin(), known.end(),
                             [&](const Access& old) { return superseded(old, access, clock); }),
              known.end());
  if (known.size() >= kMostAccesses) known.erase(known.begin());
  known.push_back(access);
}

void mark_told(const Record& record, const Access& access) {
  if (record.history == nullptr) return;
  for (Access& known : record.history->accesses)
    if (known.slot == access.slot && known.epoch == access.epoch) known.told = true;
}

void note_unseen_writes(const Call& call, Record& record, std::vector<Finding>* findings) {
  if (record.history == nullptr) return;
  for (const Access& write : record.history->accesses) {
    if (write.use != Use::write || write.told ||
        ledger().order.before_host(write.slot, write.epoch))
      continue;
    const Clock* seen = call.thread->seen;
    if (seen != nullptr && Order::has(*seen, write.slot, write.epoch)) continue;
    bool read = false;
    for (const Access& later : record.history->accesses)
      read = read || (later.use != Use::write && overlap(later, write));
    if (read) continue;
    Finding finding;
    finding.kind = "missing-synchronisation";
    finding.severity = "warning";
    finding.subject = subject_of(record, record.address + write.begin);
    finding.bytes = write.end - write.begin;
    finding.call = call.name;
    finding.stack = call.stack;
    finding.other_call = write.call;
    finding.other_stack = write.stack;
    finding.other_stream = ledger().order.name_of(write.slot);
    finding.message = std::string(call.name) + " ends " + title(record) + ", which " +
                      actor(write) + " writes: the host never waited for what it wrote";
    findings->push_back(finding);
  }
}

void drop_history(Record& record) {
  delete record.history;
  record.history = nullptr;
}

}  // namespace hipaudit::ledger
