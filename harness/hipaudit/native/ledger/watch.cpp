#include "watch.h"

#include <sys/mman.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "../device/sync.h"
#include "below.h"
#include "host_access.h"
#include "options.h"

namespace hipaudit::ledger {

std::atomic<int> watches{0};

namespace {

// Operations beyond these are not watched.
constexpr int kMost = 128;

// Nothing is allocated and nobody's memory is touched while it is held: a fault may come anywhere
// else.
Mutex mutex;
Watch table[kMost];  // oldest first

int protection_of(const Watch& watch) {
  if (watch.lifted_by != 0) return PROT_READ | PROT_WRITE;
  return watch.access.use == Use::write ? PROT_NONE : PROT_READ;
}

// Gives pages the protection that the watches ask for.
bool protect(uint64_t first, uint64_t end) {
  bool done = true;
  int count = watches.load();
  while (first < end) {
    uint64_t next = end;
    int protection = PROT_READ | PROT_WRITE;
    for (int i = 0; i < count; ++i) {
      const Watch& watch = table[i];
      if (watch.first > first) next = std::min(next, watch.first);
      if (watch.first > first || watch.end <= first) continue;
      next = std::min(next, watch.end);
      protection &= protection_of(watch);
    }
    done = mprotect(reinterpret_cast<void*>(first), next - first, protection) == 0 && done;
    first = next;
  }
  return done;
}

// Leaves the protection of its pages as it is.
void drop(int at) {
  int count = watches.load();
  std::copy(table + at + 1, table + count, table + at);
  watches = count - 1;
}

void remove(int at) {
  Watch removed = table[at];
  drop(at);
  if (removed.lifted_by == 0) protect(removed.first, removed.end);
}

template <typename Ended>
void remove_where(Ended ended) {
  for (int i = watches.load() - 1; i >= 0; --i)
    if (ended(table[i])) remove(i);
}

bool overlaps(const Watch& watch, uint64_t begin, uint64_t end) {
  return watch.first < end && begin < watch.end;
}

bool keeps_from(const Watch& watch, uint64_t begin, uint64_t end, bool write) {
  if (!overlaps(watch, begin, end) || watch.lifted_by != 0) return false;
  return write || watch.access.use == Use::write;
}

// True when all of a range can be read and written, and no more than that.
bool is_plain_memory(uint64_t begin, uint64_t end) {
  FILE* maps = fopen("/proc/self/maps", "re");
  if (maps == nullptr) return false;
  char line[512];
  while (begin < end && fgets(line, sizeof line, maps) != nullptr) {
    uint64_t from = 0;
    uint64_t to = 0;
    char permissions[5];
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &from, &to, permissions) != 3) continue;
    if (begin < from || begin >= to) continue;
    if (permissions[0] != 'r' || permissions[1] != 'w' || permissions[2] != '-') break;
    begin = to;
  }
  fclose(maps);
  return begin >= end;
}

// Memory of the program's own may be protected already, and must be left as it was.
bool may_protect(Record& record) {
  if (record.kind == Kind::host || record.kind == Kind::managed) return true;
  if (record.kind != Kind::registered) return false;
  if (record.plain == Plain::unknown)
    record.plain =
        is_plain_memory(record.address, record.address + record.size) ? Plain::yes : Plain::no;
  return record.plain == Plain::yes;
}

// What the new one keeps the host from, until later.
bool superseded(const Watch& old, const Watch& now) {
  return old.access.slot == now.access.slot && now.first <= old.first && old.end <= now.end &&
         (now.access.use == Use::write || now.access.use == old.access.use);
}

bool protects_as(const Watch& old, const Watch& now) {
  return old.first == now.first && old.end == now.end && old.lifted_by == 0 &&
         old.access.use == now.access.use;
}

}  // namespace

void watch(Record& record, const Access& access) {
  static Below<void(uint64_t, uint64_t, uint64_t*, uint64_t*)> own_pages("hipaudit_own_pages");
  if (!below_is_emulated() || !options.host.load(std::memory_order_relaxed)) return;
  if (!may_protect(record)) return;
  Watch made;
  made.access = access;
  made.address = record.address;
  made.serial = record.serial;
  own_pages(record.address + access.begin, access.end - access.begin, &made.first, &made.end);
  if (made.first >= made.end || !sees_faults()) return;
  Locked lock(mutex);
  bool as_before = false;
  for (int i = watches.load() - 1; i >= 0; --i) {
    if (!superseded(table[i], made)) continue;
    as_before = as_before || protects_as(table[i], made);
    drop(i);
  }
  int count = watches.load();
  if (count == kMost) return;  // then none was superseded
  table[count] = made;
  watches = count + 1;
  if (!as_before && !protect(made.first, made.end)) remove(count);
}

void end_watches(const Clock& known) {
  if (!watching()) return;
  Locked lock(mutex);
  remove_where(
      [&](const Watch& watch) { return Order::has(known, watch.access.slot, watch.access.epoch); });
}

void end_watches(uint64_t begin, uint64_t end) {
  if (!watching()) return;
  Locked lock(mutex);
  remove_where([&](const Watch& watch) { return overlaps(watch, begin, end); });
}

void end_all_watches() {
  if (!watching()) return;
  Locked lock(mutex);
  remove_where([](const Watch&) { return true; });
}

void lift_watches(uint32_t thread, uint64_t begin, uint64_t end, bool write) {
  if (!watching()) return;
  Locked lock(mutex);
  for (int i = 0; i < watches.load(); ++i) {
    Watch& watch = table[i];
    if (!keeps_from(watch, begin, end, write)) continue;
    watch.lifted_by = thread;
    protect(watch.first, watch.end);
  }
}

void put_back_watches(uint32_t thread) {
  Locked lock(mutex);
  for (int i = 0; i < watches.load(); ++i) {
    Watch& watch = table[i];
    if (watch.lifted_by != thread && watch.lifted_by != kKernel) continue;
    watch.lifted_by = 0;
    protect(watch.first, watch.end);
  }
}

bool lift_at(uint32_t thread, uint64_t address, bool write) {
  Locked lock(mutex);
  bool found = false;
  for (int i = 0; i < watches.load(); ++i) {
    Watch& watch = table[i];
    if (!keeps_from(watch, address, address + 1, write)) continue;
    watch.lifted_by = thread;
    protect(watch.first, watch.end);
    found = true;
  }
  return found;
}

bool end_at(uint64_t begin, uint64_t end, bool write, Watch* out) {
  Locked lock(mutex);
  bool found = false;
  for (int i = watches.load() - 1; i >= 0; --i) {
    if (!keeps_from(table[i], begin, end, write)) continue;
    if (!found) *out = table[i];
    found = true;
    remove(i);
  }
  return found;
}

void lock_watches() { mutex.lock(); }
void unlock_watches() { mutex.unlock(); }

}  // namespace hipaudit::ledger
