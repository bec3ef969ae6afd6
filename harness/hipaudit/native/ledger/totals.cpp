#include "totals.h"

#include <time.h>

#include <algorithm>

#include "stacks.h"

namespace hipaudit::ledger {
namespace {

uint64_t clock_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

const uint64_t loaded_ms = clock_ms();

void put_live(JsonWriter& json, const Live& live) {
  json.key("bytes").value(live.bytes).key("allocations").value(live.allocations);
}

void put_origin(JsonWriter& json, const Site& site) {
  json.key("stack");
  put_stack(json, site.stack);
  json.key("call").value(site.call).key("kind").value(kind_name(site.kind));
}

}  // namespace

uint64_t now_ms() { return clock_ms() - loaded_ms; }

uint32_t Totals::site(uint32_t stack, const char* call, Kind kind) {
  uint32_t hash = mix(uint64_t{stack} << 32 ^ reinterpret_cast<uintptr_t>(call) * 31 ^
                      static_cast<uint64_t>(kind));
  auto same = [&](uint32_t at) {
    const Site& site = sites_[at];
    return site.stack == stack && site.call == call && site.kind == kind;
  };
  uint32_t found = table_.find(hash, same);
  if (found != Table::missing) return found;
  Site made;
  made.stack = stack;
  made.call = call;
  made.kind = kind;
  made.seen_peak = peak_number_;
  sites_.push_back(made);
  auto number = static_cast<uint32_t>(sites_.size() - 1);
  table_.insert(hash, number);
  return number;
}

// What a site held at the highest mark is what it held before its next change.
void Totals::touch(Site& site) {
  if (site.seen_peak == peak_number_) return;
  site.seen_peak = peak_number_;
  site.peak_bytes = site.live_bytes;
  site.peak_live = site.live;
}

void Totals::born(const Record& record) {
  Site& site = sites_[record.site];
  touch(site);
  ++site.allocations;
  ++site.live;
  site.bytes += record.size;
  site.live_bytes += record.size;
  ++allocations_;
  bytes_ += record.size;
  live_.bytes += record.size;
  ++live_.allocations;
  for (Scope& scope : scopes_) {
    ++scope.allocations;
    scope.bytes += record.size;
    scope.peak_bytes = std::max(scope.peak_bytes, live_.bytes);
  }
  mark();
}

void Totals::died(const Record& record) {
  Site& site = sites_[record.site];
  touch(site);
  ++site.frees;
  --site.live;
  site.live_bytes -= record.size;
  ++frees_;
  live_.bytes -= record.size;
  --live_.allocations;
  for (Scope& scope : scopes_) ++scope.frees;
  mark();
}

void Totals::unborn(const Record& record) {
  Site& site = sites_[record.site];
  touch(site);
  --site.frees;
  ++site.live;
  site.live_bytes += record.size;
  --frees_;
  live_.bytes += record.size;
  ++live_.allocations;
  for (Scope& scope : scopes_) --scope.frees;
  mark();
}

void Totals::mark() {
  uint64_t now = now_ms();
  if (live_.bytes > peak_.bytes) {
    peak_ = live_;
    peak_time_ms_ = now;
    ++peak_number_;
  }
  if (points_.empty() || now >= points_.back().time_ms + step_ms_) {
    if (points_.size() == kMostPoints) thin_out();
    points_.push_back({now, live_, live_.bytes});
    return;
  }
  Point& last = points_.back();
  last.live = live_;
  last.peak_bytes = std::max(last.peak_bytes, live_.bytes);
}

// Every second point goes; its highest mark stays with the one before it.
void Totals::thin_out() {
  for (size_t i = 0; i < kMostPoints / 2; ++i) {
    Point kept = points_[2 * i];
    kept.live = points_[2 * i + 1].live;
    kept.peak_bytes = std::max(kept.peak_bytes, points_[2 * i + 1].peak_bytes);
    points_[i] = kept;
  }
  points_.resize(kMostPoints / 2);
  step_ms_ *= 2;
}

void Totals::put_peak(JsonWriter& json) {
  std::vector<const Site*> owners;
  for (Site& site : sites_) {
    touch(site);
    if (site.peak_bytes != 0) owners.push_back(&site);
  }
  std::sort(owners.begin(), owners.end(),
            [](const Site* a, const Site* b) { return a->peak_bytes > b->peak_bytes; });
  if (owners.size() > kMostOwners) owners.resize(kMostOwners);
  json.key("peak").open('{');
  put_live(json, peak_);
  json.key("t_ms").value(peak_time_ms_).key("owners").open('[');
  for (const Site* site : owners) {
    json.open('{');
    put_origin(json, *site);
    json.key("bytes").value(site->peak_bytes).key("count").value(site->peak_live).close('}');
  }
  json.close(']').close('}');
}

void put_uses(JsonWriter& json, const SiteUses& uses) {
  json.key("uses").open('{');
  json.key("copied_to").value(uses.copied_to).key("copied_to_bytes").value(uses.copied_to_bytes);
  json.key("copied_from").value(uses.copied_from);
  json.key("copied_from_bytes").value(uses.copied_from_bytes);
  json.key("async_copies").value(uses.async_copies).key("fills").value(uses.fills);
  json.key("launches").value(uses.launches).close('}');
}

void Totals::put_sites(JsonWriter& json) {
  json.key("sites").open('[');
  for (const Site& site : sites_) {
    if (site.allocations == 0) continue;
    json.open('{');
    put_origin(json, site);
    json.key("allocations").value(site.allocations).key("frees").value(site.frees);
    json.key("bytes").value(site.bytes).key("live_bytes").value(site.live_bytes);
    json.key("live_allocations").value(site.live);
    json.key("peak_bytes").value(site.peak_bytes);
    put_uses(json, site.uses);
    json.close('}');
  }
  json.close(']');
}

void Totals::put(JsonWriter& json) {
  json.key("allocations").value(allocations_).key("frees").value(frees_);
  json.key("bytes").value(bytes_).key("live").open('{');
  put_live(json, live_);
  json.close('}');
  put_peak(json);
  put_sites(json);
  json.key("timeline").open('[');
  for (const Point& point : points_) {
    json.open('[').value(point.time_ms).value(point.live.bytes).value(point.live.allocations);
    json.value(point.peak_bytes).close(']');
  }
  json.close(']');
}

}  // namespace hipaudit::ledger
