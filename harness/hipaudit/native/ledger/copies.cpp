#include "copies.h"

#include <algorithm>

#include "graphs.h"
#include "options.h"
#include "uses.h"

namespace hipaudit::ledger {
namespace {

constexpr uint64_t kReach = 256;  // how far off an allocation may be that a finding names

uint64_t address_of(const Side& side) { return reinterpret_cast<uintptr_t>(side.start); }

Record* holder_of(const Side& side) {
  if (side.array || side.start == nullptr) return nullptr;
  return ledger().records.find_holder(address_of(side));
}

bool on_device(Place place) {
  return place == Place::device || place == Place::managed || place == Place::global ||
         place == Place::array;
}

Place place_of_side(const Side& side, const Record* record, bool device_by_kind) {
  if (side.array) return Place::array;
  if (record != nullptr && record->live) return place_of(record);
  return device_by_kind ? Place::device : Place::pageable;
}

bool kind_says_device(hipMemcpyKind kind, bool destination) {
  if (kind == hipMemcpyDeviceToDevice || kind == hipMemcpyDeviceToDeviceNoCU) return true;
  return destination ? kind == hipMemcpyHostToDevice : kind == hipMemcpyDeviceToHost;
}

Direction direction_of(const Copy& copy, Place source, Place destination) {
  if (copy.fill) return Direction::fill;
  if (on_device(source))
    return on_device(destination) ? Direction::device_to_device : Direction::device_to_host;
  return on_device(destination) ? Direction::host_to_device : Direction::host_to_host;
}

// Of device memory its count of writes, of the host's its contents.
uint64_t state_of(const Side& side, const Record* record) {
  if (side.array || side.span != side.certain) return 0;
  if (record != nullptr && !is_host(record->kind) && record->kind != Kind::managed)
    return record->serial << 32 ^ record->version ^ uint64_t{1} << 63;
  return hash_of(side.start, side.certain);
}

void note_side(const Call& call, int slot, const Side& side, Use use,
               std::vector<Finding>* findings) {
  Record* record = holder_of(side);
  if (record == nullptr || !record->live) return;
  uint64_t begin = address_of(side) - record->address;
  uint64_t end = std::min(begin + side.certain, record->size);
  note_use(*record, access_by(call, slot, use, begin, end), findings);
  if (use == Use::write) ++record->version;
}

void watch_side(const Call& call, int slot, const Side& side, Use use) {
  Record* record = holder_of(side);
  if (record == nullptr || !record->live) return;
  uint64_t begin = address_of(side) - record->address;
  uint64_t end = std::min(begin + side.certain, record->size);
  watch(*record, access_by(call, slot, use, begin, end));
}

void capture_side(const Call& call, int slot, const Side& side, Use use) {
  const Record* record = holder_of(side);
  if (record == nullptr || !record->live) return;
  uint64_t begin = address_of(side) - record->address;
  uint64_t end = std::min(begin + side.certain, record->size);
  capture_use(slot, call, *record, access_by(call, slot, use, begin, end));
}

Finding refusal(const Call& call, const char* kind, const Side& side, bool write,
                const Record* record) {
  Finding finding;
  finding.kind = kind;
  finding.access = write ? "write" : "read";
  finding.bytes = side.span;
  finding.call = call.name;
  finding.stack = call.stack;
  if (record != nullptr) finding.subject = subject_of(*record, address_of(side));
  return finding;
}

std::string deed(const Call& call, const Side& side, bool write) {
  return std::string(call.name) + (write ? " writes " : " reads ") + std::to_string(side.span) +
         (side.span == 1 ? " byte" : " bytes");
}

// With the ledger's lock held.
bool check_side(const Call& call, const Side& side, bool write, std::vector<Finding>* findings) {
  if (side.array || side.start == nullptr) return true;
  Record* record = holder_of(side);
  if (record == nullptr) {
    Record* near = ledger().records.find_neighbour(address_of(side), kReach);
    // Beside host memory lies more of the host's own.
    if (near == nullptr || is_host(near->kind) || near->zone == 0) return true;
    Finding finding = refusal(call, "copy-out-of-bounds", side, write, near);
    finding.message = deed(call, side, write) + " outside of " + title(*near);
    findings->push_back(finding);
    return false;
  }
  if (!record->live) {
    Finding finding = refusal(call, "use-after-free", side, write, record);
    finding.message = deed(call, side, write) + " of " + title(*record) + ", which " +
                      (record->death_call != nullptr ? record->death_call : "something") + " freed";
    finding.other_call = record->death_call;
    finding.other_stack = record->death_stack;
    findings->push_back(finding);
    return false;
  }
  uint64_t offset = address_of(side) - record->address;
  if (side.span <= record->size - offset || record->kind == Kind::registered ||
      record->kind == Kind::ipc)
    return true;
  Finding finding = refusal(call, "copy-out-of-bounds", side, write, record);
  finding.message = deed(call, side, write) + " at offset " + std::to_string(offset) + " of " +
                    title(*record) + ": " + std::to_string(side.span - (record->size - offset)) +
                    " too many";
  findings->push_back(finding);
  return false;
}

// For the sums by the site that made the memory.
void count_uses(const Copy& copy, const Record* source, const Record* destination) {
  Totals& totals = ledger().totals;
  if (destination != nullptr && destination->live) {
    SiteUses& uses = totals.uses(destination->site);
    ++(copy.fill ? uses.fills : uses.copied_to);
    if (!copy.fill) uses.copied_to_bytes += copy.bytes;
    if (!copy.fill && copy.async) ++uses.async_copies;
  }
  if (source != nullptr && source->live && !copy.fill) {
    SiteUses& uses = totals.uses(source->site);
    ++uses.copied_from;
    uses.copied_from_bytes += copy.bytes;
    if (copy.async) ++uses.async_copies;
  }
}

// The direction says the host's memory where the device's is. ROCm goes by the addresses, so the
// copy may still go on.
void check_direction(const Call& call, const Side& side, bool write, hipMemcpyKind kind,
                     std::vector<Finding>* findings) {
  bool says_host = kind == hipMemcpyHostToHost ||
                   kind == (write ? hipMemcpyDeviceToHost : hipMemcpyHostToDevice);
  const Record* record = holder_of(side);
  if (!says_host || record == nullptr || !record->live) return;
  if (place_of(record) != Place::device || record->kind == Kind::ipc) return;
  Finding finding = refusal(call, "argument-mismatch", side, write, record);
  finding.message = deed(call, side, write) + " of " + title(*record) +
                    " where the copy's direction says host memory";
  findings->push_back(finding);
}

// What the host does not come after when the call returns.
bool waits(const Copy& copy, Place source, Place destination) {
  bool device_only = on_device(destination) && (copy.fill || on_device(source));
  if (copy.async)
    return !copy.fill && (source == Place::pageable || destination == Place::pageable);
  return !(copy.returns_early && device_only && !copy.fill);
}

const char* reason_of(const Copy& copy) {
  if (copy.async) return "an asynchronous copy of pageable memory waits for the copy";
  return copy.fill ? "a fill that is not asynchronous waits"
                   : "a copy that is not asynchronous waits";
}

}  // namespace

Side box(const void* start, uint64_t pitch, uint64_t slice, const hipExtent& extent) {
  if (start == nullptr || extent.width == 0 || extent.height == 0 || extent.depth == 0) return {};
  uint64_t span = slice * (extent.depth - 1) + pitch * (extent.height - 1) + extent.width;
  bool whole = span == extent.width * extent.height * extent.depth;
  return {start, whole ? span : extent.width, span, false};
}

void check_null(const Call& call, const Copy& copy) {
  Thread& thread = *call.thread;
  if (thread.failed_call == nullptr) return;
  bool to_null = copy.destination.start == nullptr && !copy.destination.array;
  bool from_null = !copy.fill && copy.source.start == nullptr && !copy.source.array;
  if (!to_null && !from_null) return;
  Finding finding;
  finding.kind = "api-error-ignored";
  finding.access = to_null ? "write" : "read";
  finding.bytes = copy.bytes;
  finding.call = call.name;
  finding.stack = call.stack;
  finding.other_call = thread.failed_call;
  finding.other_stack = thread.failed_stack;
  finding.message = std::string(call.name) + (to_null ? " writes to" : " reads from") +
                    " a null pointer: " + thread.failed_call + " failed before, unheeded";
  thread.failed_call = nullptr;
  report(finding);
}

bool check_copy(const Call& call, const Copy& copy) {
  if (!options.guards.load(std::memory_order_relaxed)) return true;
  std::vector<Finding> findings;
  bool possible = false;
  {
    Locked lock(ledger().mutex);
    possible = check_side(call, copy.destination, true, &findings) &&
               (copy.fill || check_side(call, copy.source, false, &findings));
    if (possible && !copy.fill) {
      check_direction(call, copy.destination, true, copy.kind, &findings);
      check_direction(call, copy.source, false, copy.kind, &findings);
    }
  }
  report_all(findings);
  return possible;
}

void note_copy(const Call& call, const Copy& copy) {
  std::vector<Finding> findings;
  Ledger& own = ledger();
  {
    Locked lock(own.mutex);
    int slot = slot_of(call, copy.stream);
    if (!own.order.advance(slot, *call.thread)) {
      if (!copy.fill) capture_side(call, slot, copy.source, Use::read);
      capture_side(call, slot, copy.destination, Use::write);
      return;
    }
    const Record* source = holder_of(copy.source);
    const Record* destination = holder_of(copy.destination);
    count_uses(copy, source, destination);
    CopyNote note;
    note.source = place_of_side(copy.source, source, kind_says_device(copy.kind, false));
    note.destination = place_of_side(copy.destination, destination,
                                     copy.fill || kind_says_device(copy.kind, true));
    if (copy.fill) note.source = note.destination;
    note.direction = direction_of(copy, note.source, note.destination);
    note.bytes = copy.bytes;
    note.async = copy.async;
    uint64_t before = on_device(note.destination) ? state_of(copy.destination, destination) : 0;
    uint64_t moved = copy.fill ? 0 : state_of(copy.source, source);
    if (!copy.fill) note_side(call, slot, copy.source, Use::read, &findings);
    note_side(call, slot, copy.destination, Use::write, &findings);
    uint64_t after = on_device(note.destination) ? state_of(copy.destination, destination) : 0;
    note.repeat = own.traffic.is_repeat(address_of(copy.destination), copy.bytes,
                                        {address_of(copy.source), moved, after}, before);
    const Lane& lane = own.order.lane(slot);
    std::string stream = own.order.name_of(slot);
    own.traffic.note_copy(call, lane, stream, note);
    if (waits(copy, note.source, note.destination)) {
      Clock pending = own.order.pending(slot);
      bool only_itself = own.order.before_host(slot, pending[slot] - 1);
      own.traffic.note_wait(call, lane, stream, {reason_of(copy), true, only_itself});
      own.order.host_waits(pending);
    } else if (copy.async) {
      if (!copy.fill) watch_side(call, slot, copy.source, Use::read);
      watch_side(call, slot, copy.destination, Use::write);
    }
  }
  report_all(findings);
}

}  // namespace hipaudit::ledger
