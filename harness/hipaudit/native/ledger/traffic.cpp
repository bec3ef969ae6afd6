#include "traffic.h"

#include <algorithm>
#include <cstring>

#include "stacks.h"

namespace hipaudit::ledger {
namespace {

// More sites or places than these are not told apart.
constexpr size_t kMostSites = 65536;
constexpr size_t kMostPlaces = 4096;
constexpr uint64_t kMostHashed = uint64_t{1} << 20;

constexpr const char* kPlaces[] = {"pageable", "pinned", "registered", "managed",
                                   "device",   "static", "array"};
constexpr const char* kDirections[] = {"host_to_host", "host_to_device", "device_to_host",
                                       "device_to_device", "fill"};

uint64_t lane_key(const Lane& lane) {
  return uint64_t{lane.number} << 16 | uint64_t{lane.device} << 8 | (lane.legacy ? 2 : 0) |
         (lane.per_thread ? 1 : 0);
}

const char* name_of(Place place) { return kPlaces[static_cast<int>(place)]; }

}  // namespace

Place place_of(const Record* record) {
  if (record == nullptr) return Place::pageable;
  switch (record->kind) {
    case Kind::host:
      return Place::pinned;
    case Kind::registered:
      return Place::registered;
    case Kind::managed:
      return Place::managed;
    case Kind::global:
      return Place::global;
    default:
      return Place::device;
  }
}

void Traffic::note_copy(const Call& call, const Lane& lane, const std::string& stream,
                        const CopyNote& note) {
  auto what = static_cast<uint32_t>(note.direction) << 16 |
              static_cast<uint32_t>(note.source) << 8 | static_cast<uint32_t>(note.destination);
  Key key{call.name, call.stack, what, lane_key(lane)};
  if (copies_.size() >= kMostSites && copies_.count(key) == 0) return;
  Copies& sums = copies_[key];
  if (sums.count++ == 0) {
    sums.note = note;
    sums.stream = stream;
  }
  sums.bytes += note.bytes;
  sums.least = std::min(sums.least, note.bytes);
  sums.most = std::max(sums.most, note.bytes);
  if (!note.repeat) return;
  ++sums.repeats;
  sums.repeat_bytes += note.bytes;
}

void Traffic::note_wait(const Call& call, const Lane& lane, const std::string& stream,
                        const WaitNote& note) {
  Key key{call.name, call.stack, 0, lane_key(lane)};
  if (waits_.size() >= kMostSites && waits_.count(key) == 0) return;
  Waits& sums = waits_[key];
  if (sums.count++ == 0) {
    sums.note = note;
    sums.stream = stream;
  }
  if (note.needless) ++sums.needless;
}

void Traffic::put_copies(JsonWriter& json) const {
  json.key("sites").open('[');
  for (const auto& [key, sums] : copies_) {
    json.open('{').key("call").value(std::get<0>(key)).key("stack");
    put_stack(json, std::get<1>(key));
    json.key("direction").value(kDirections[static_cast<int>(sums.note.direction)]);
    json.key("source").value(name_of(sums.note.source));
    json.key("destination").value(name_of(sums.note.destination));
    json.key("stream").value(sums.stream).key("async").value(sums.note.async);
    json.key("count").value(sums.count).key("bytes").value(sums.bytes);
    json.key("min_bytes").value(sums.least).key("max_bytes").value(sums.most);
    json.key("repeats").value(sums.repeats).key("repeat_bytes").value(sums.repeat_bytes);
    json.close('}');
  }
  json.close(']');
}

void Traffic::put_waits(JsonWriter& json) const {
  json.key("sites").open('[');
  for (const auto& [key, sums] : waits_) {
    json.open('{').key("call").value(std::get<0>(key)).key("stack");
    put_stack(json, std::get<1>(key));
    json.key("hidden").value(sums.note.hidden).key("reason").value(sums.note.reason);
    json.key("stream").value(sums.stream).key("count").value(sums.count);
    json.key("needless").value(sums.needless).close('}');
  }
  json.close(']');
}

bool Traffic::is_repeat(uint64_t destination, uint64_t bytes, const Contents& now,
                        uint64_t destination_before) {
  if (last_.size() >= kMostPlaces) last_.clear();
  Contents& last = last_[{destination, bytes}];
  bool repeat = now.source_state != 0 && last.source == now.source &&
                last.source_state == now.source_state &&
                last.destination_state == destination_before;
  last = now;
  return repeat;
}

uint64_t hash_of(const void* bytes, uint64_t size) {
  if (size > kMostHashed) return 0;
  constexpr uint64_t kPrime = 0x9e3779b97f4a7c15;
  uint64_t lanes[4] = {size, 1, 2, 3};
  const auto* at = static_cast<const char*>(bytes);
  for (; size >= sizeof lanes; size -= sizeof lanes, at += sizeof lanes) {
    uint64_t words[4];
    memcpy(words, at, sizeof words);
    for (int i = 0; i < 4; ++i) lanes[i] = (lanes[i] ^ words[i]) * kPrime ^ lanes[i] >> 29;
  }
  uint64_t rest[4] = {};
  memcpy(rest, at, size);
  uint64_t hash = 0;
  for (int i = 0; i < 4; ++i) hash = (hash ^ lanes[i] ^ rest[i]) * kPrime ^ hash >> 31;
  return hash | 1;
}

}  // namespace hipaudit::ledger
