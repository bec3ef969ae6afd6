#include "report.h"

#include <cstdio>
#include <map>
#include <set>
#include <tuple>

#include "device/journal.h"
#include "device/json.h"
#include "device/memory.h"
#include "device/memory_report.h"
#include "device/module.h"
#include "device/sync.h"
#include "device/worker.h"

namespace hipaudit {
namespace {

// More places than this in one launch are counted and not told of.
constexpr size_t kMostPlaces = 1000;

using Key = std::tuple<std::string, uintptr_t, uintptr_t>;

struct Entry {
  Observation first;
  uint64_t count = 0;
};

Mutex mutex;

std::map<Key, Entry>& entries() {
  static auto* map = new std::map<Key, Entry>;
  return *map;
}
// Further ones, without what was seen there.
std::set<Key>& others() {
  static auto* set = new std::set<Key>;
  return *set;
}

Place place_of(const Launch& launch, const Side& side) {
  Place place;
  const Image& image = *launch.kernel->image;
  if (image.is_code(side.pc)) {
    place.object = image.debug_object();
    place.pc = image.debug_address(side.pc);
  }
  place.block[0] = side.block % launch.grid_dim.x;
  place.block[1] = side.block / launch.grid_dim.x % launch.grid_dim.y;
  place.block[2] = side.block / launch.grid_dim.x / launch.grid_dim.y;
  place.thread[0] = side.thread % launch.block_dim.x;
  place.thread[1] = side.thread / launch.block_dim.x % launch.block_dim.y;
  place.thread[2] = side.thread / launch.block_dim.x / launch.block_dim.y;
  place.wave = side.thread >> launch.wave_shift;
  place.lane = side.thread & (launch.wave_size - 1);
  return place;
}

// The variable at an offset in shared memory, else the nearest one.
std::optional<AllocationNote> shared_note(const Launch& launch, int64_t offset) {
  const Kernel& kernel = *launch.kernel;
  SharedVariable dynamic{"extern __shared__", kernel.dynamic_offset, launch.shape.shared_bytes};
  std::optional<AllocationNote> nearest;
  int64_t least = INT64_MAX;
  auto consider = [&](const SharedVariable& variable) {
    int64_t begin = variable.offset;
    int64_t end = begin + variable.size;
    int64_t away = offset < begin ? begin - offset : offset >= end ? offset - end + 1 : 0;
    if (away >= least) return;
    least = away;
    nearest = AllocationNote{variable.name, 0, variable.size, offset - begin};
  };
  for (const SharedVariable& variable : kernel.shared) consider(variable);
  if (dynamic.size > 0 || kernel.shared.empty()) consider(dynamic);
  return nearest;
}

std::optional<AllocationNote> note_of(const Launch& launch, const Observation& seen) {
  if (std::string(seen.space) == "shared") {
    return shared_note(launch, static_cast<int64_t>(seen.address));
  }
  Allocation allocation;
  std::string name;
  Global global;
  if (find_global(seen.address, &name, &global))
    return AllocationNote{name, global.address, global.size,
                          static_cast<int64_t>(seen.address - global.address)};
  if (seen.address - kDeviceBase >= kDeviceSpan) return std::nullopt;
  bool found = find_allocation(seen.address, &allocation) ||
               nearest_allocation(seen.address, size_t{1} << 20, &allocation);
  if (!found) return std::nullopt;
  return allocation_note(allocation, seen.address);
}

std::string sentence(const Observation& seen, const std::optional<AllocationNote>& note) {
  std::string text = std::to_string(seen.bytes) + "-byte " + seen.access;
  if (note)
    text += " at byte " + std::to_string(note->offset) + " of " + note->name + " (" +
            std::to_string(note->size) + " bytes)";
  return seen.message.empty() ? text : text + ": " + seen.message;
}

auto order(const Observation& seen) {
  // Errors first: of the same two places, some threads may have written equal values.
  return std::make_tuple(std::string(seen.severity) != "error", seen.here.block, seen.here.thread,
                         seen.other.block, seen.other.thread);
}

}  // namespace

void observe(const Launch&, const Observation& seen) {
  Locked lock(mutex);
  Key key{seen.kind, seen.here.pc, seen.other.pc};
  // Which side comes first depends on the schedule; the pair does not.
  if (seen.other.pc != 0 && seen.other.pc < seen.here.pc)
    key = Key{seen.kind, seen.other.pc, seen.here.pc};
  auto& all = entries();
  auto found = all.find(key);
  if (found == all.end()) {
    if (all.size() >= kMostPlaces) {
      others().insert(key);
      return;
    }
    found = all.emplace(key, Entry{seen, 0}).first;
  } else if (order(seen) < order(found->second.first)) {
    found->second.first = seen;
  }
  ++found->second.count;
}

void journal_observations(const Launch& launch) {
  Locked lock(mutex);
  for (const auto& [key, entry] : entries()) {
    const Observation& seen = entry.first;
    Finding finding;
    finding.kind = seen.kind;
    finding.severity = seen.severity;
    finding.kernel = launch.kernel->name;
    finding.address_space = seen.space;
    finding.access = seen.access;
    finding.bytes = seen.bytes;
    finding.count = entry.count;
    if (seen.bytes != 0) finding.allocation = note_of(launch, seen);
    finding.message = seen.bytes != 0 ? sentence(seen, finding.allocation) : seen.message;
    finding.location = place_of(launch, seen.here);
    if (seen.other.pc != 0) finding.other_location = place_of(launch, seen.other);
    journal_finding(finding);
  }
  if (!others().empty()) {
    JsonWriter json;
    json.open('{').key("record").value("unlisted").key("kernel").value(launch.kernel->name);
    json.key("count").value(uint64_t{others().size()}).close('}');
    journal_line(json.text());
  }
  entries().clear();
  others().clear();
}

}  // namespace hipaudit
