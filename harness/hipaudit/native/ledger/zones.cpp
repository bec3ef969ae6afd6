#include "zones.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <set>

#include "below.h"
#include "options.h"

namespace hipaudit::ledger {
namespace {

constexpr unsigned char kZoneByte = 0xca;
constexpr unsigned char kFreshByte = 0xff;  // no number in any floating format
constexpr unsigned char kFreedByte = 0xfb;
constexpr uint64_t kChunk = uint64_t{1} << 20;
constexpr size_t kMostChecked = 256;  // allocations a synchronisation verifies
constexpr size_t kMostHeld = 4096;

struct Held {
  Subject subject;
};

struct Zones {
  Mutex mutex;
  std::deque<Held> held;
  uint64_t held_bytes = 0;
  std::set<uint64_t> used;  // addresses
};

Zones* const zones = new Zones;

hipError_t fill(uint64_t at, unsigned char byte, uint64_t bytes) {
  static Below<decltype(hipMemset)> below("hipMemset");
  return bytes == 0 ? hipSuccess : below(reinterpret_cast<void*>(at), byte, bytes);
}

struct Damage {
  uint64_t first = 0;
  uint64_t bytes = 0;  // 0: whole
};

// Where memory of the device does not hold the byte any more.
Damage damage(uint64_t at, uint64_t bytes, unsigned char byte) {
  static Below<decltype(hipMemcpy)> below("hipMemcpy");
  std::vector<unsigned char> seen(std::min(bytes, kChunk));
  Damage found;
  for (uint64_t done = 0; done < bytes; done += seen.size()) {
    uint64_t part = std::min<uint64_t>(seen.size(), bytes - done);
    if (below(seen.data(), reinterpret_cast<void*>(at + done), part, hipMemcpyDeviceToHost) !=
        hipSuccess)
      return found;
    for (uint64_t i = 0; i < part; ++i) {
      if (seen[i] == byte) continue;
      if (found.bytes == 0) found.first = at + done + i;
      found.bytes = at + done + i + 1 - found.first;
    }
  }
  return found;
}

std::string place(const Record& record, uint64_t at) {
  if (at < record.address) return std::to_string(record.address - at) + " bytes before its start";
  uint64_t end = record.address + record.size;
  return at == end ? "at its end" : std::to_string(at - end) + " bytes past its end";
}

void report_damage(const char* kind, const char* call, uint32_t stack, const Subject& subject,
                   const Damage& found, const std::string& message) {
  Finding finding;
  finding.kind = kind;
  finding.access = "write";
  finding.bytes = found.bytes;
  finding.subject = subject;
  finding.subject->offset = static_cast<int64_t>(found.first - subject.record.address);
  finding.call = call;
  finding.stack = stack;
  finding.message = message;
  report(finding);
}

void check_zone(const char* call, uint32_t stack, const Subject& subject, uint64_t at) {
  const Record& record = subject.record;
  Damage found = damage(at, record.zone, kZoneByte);
  if (found.bytes == 0) return;
  fill(found.first, kZoneByte, found.bytes);  // said once
  report_damage("canary-overwritten", call, stack, subject, found,
                std::to_string(found.bytes) + " bytes beside " + title(record) +
                    " were overwritten, the first " + place(record, found.first) + "; found by " +
                    call);
}

void check_zones(const char* call, uint32_t stack, const Subject& subject) {
  const Record& record = subject.record;
  check_zone(call, stack, subject, record.address - record.zone);
  check_zone(call, stack, subject, record.address + record.size);
}

// Memory that was held back goes to the device at last.
void let_go(const char* call, const Held& held) {
  static Below<decltype(hipFree)> below("hipFree");
  const Record& record = held.subject.record;
  Damage found = damage(record.address, record.size, kFreedByte);
  if (found.bytes != 0)
    report_damage("use-after-free", call, 0, held.subject, found,
                  std::to_string(found.bytes) + " bytes of " + title(record) +
                      " were written after it was freed, the first at offset " +
                      std::to_string(found.first - record.address));
  below(reinterpret_cast<void*>(record.address - record.zone));
}

void let_go_beyond(const char* call, uint64_t limit) {
  for (;;) {
    Held oldest;
    {
      Locked lock(zones->mutex);
      if (zones->held_bytes <= limit && zones->held.size() <= kMostHeld) return;
      oldest = zones->held.front();
      zones->held.pop_front();
      zones->held_bytes -= oldest.subject.record.size;
    }
    let_go(call, oldest);
  }
}

bool any_capture() {
  Locked lock(ledger().mutex);
  return ledger().order.capturing();
}

std::vector<Subject> guarded_subjects(const std::set<uint64_t>* wanted) {
  std::vector<Subject> subjects;
  Locked lock(ledger().mutex);
  if (wanted != nullptr) {
    for (uint64_t address : *wanted) {
      const Record* record = ledger().records.find_memory(address);
      if (record != nullptr && record->live && record->zone != 0)
        subjects.push_back(subject_of(*record, address));
    }
    return subjects;
  }
  ledger().records.each_live([&](const Record& record) {
    if (record.zone != 0) subjects.push_back(subject_of(record, record.address));
  });
  return subjects;
}

// While the library below still works: it has registered its own handlers by its first allocation,
// and they run after this one.
void check_at_exit() {
  static std::atomic<bool> registered{false};
  if (registered.exchange(true)) return;
  on_exit(
      [](int, void*) {
        if (tracking()) check_all_zones("the end of the process");
      },
      nullptr);
}

}  // namespace

hipError_t allocate_guarded(const Call& call, void** out, uint64_t size) {
  static Below<decltype(hipMalloc)> below("hipMalloc");
  uint64_t zone = options.red_zone.load(std::memory_order_relaxed);
  // Filling is no part of a graph, and would spoil its capture.
  if (out == nullptr || size == 0 || size > UINT64_MAX - 2 * zone || any_capture()) zone = 0;
  hipError_t status = below(out, size + 2 * zone);
  if (status == hipErrorOutOfMemory && out != nullptr) {
    let_go_beyond(call.name, 0);
    status = below(out, size + 2 * zone);
    if (status == hipErrorOutOfMemory && zone != 0) status = below(out, size + 2 * (zone = 0));
  }
  if (status != hipSuccess || out == nullptr || *out == nullptr) return status;
  uint64_t address = reinterpret_cast<uintptr_t>(*out) + zone;
  if (zone != 0) {
    check_at_exit();
    fill(address - zone, kZoneByte, zone);
    fill(address, kFreshByte, size);
    fill(address + size, kZoneByte, zone);
    *out = reinterpret_cast<void*>(address);
  }
  enter(call, {Kind::device, address, size, static_cast<uint32_t>(zone)});
  return status;
}

hipError_t free_guarded(const Call& call, const Record& freed) {
  static Below<decltype(hipFree)> below("hipFree");
  static Below<decltype(hipDeviceSynchronize)> wait("hipDeviceSynchronize");
  Subject subject;
  {
    Locked lock(ledger().mutex);
    subject = subject_of(freed, freed.address);
  }
  wait();
  check_zones(call.name, call.stack, subject);
  uint64_t limit = options.quarantine.load(std::memory_order_relaxed);
  if (freed.size > limit) return below(reinterpret_cast<void*>(freed.address - freed.zone));
  fill(freed.address, kFreedByte, freed.size);
  {
    Locked lock(zones->mutex);
    zones->held.push_back({subject});
    zones->held_bytes += freed.size;
  }
  let_go_beyond(call.name, limit);
  return hipSuccess;
}

void note_used(const Record& record) {
  if (record.zone == 0) return;
  Locked lock(zones->mutex);
  if (zones->used.size() < kMostChecked) zones->used.insert(record.address);
}

void check_used_zones(const Call& call) {
  if (options.red_zone.load(std::memory_order_relaxed) == 0) return;
  std::set<uint64_t> used;
  {
    Locked lock(zones->mutex);
    used.swap(zones->used);
  }
  if (used.empty()) return;
  for (const Subject& subject : guarded_subjects(&used))
    check_zones(call.name, call.stack, subject);
}

void check_all_zones(const char* name) {
  if (options.red_zone.load(std::memory_order_relaxed) == 0) return;
  for (const Subject& subject : guarded_subjects(nullptr)) check_zones(name, 0, subject);
  let_go_beyond(name, 0);
}

void forget_held_back() {
  Locked lock(zones->mutex);
  zones->held.clear();
  zones->held_bytes = 0;
  zones->used.clear();
}

void lock_zones() { zones->mutex.lock(); }
void unlock_zones() { zones->mutex.unlock(); }

}  // namespace hipaudit::ledger
