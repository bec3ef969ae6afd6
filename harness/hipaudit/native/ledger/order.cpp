#include "order.h"

#include "watch.h"

namespace hipaudit::ledger {
namespace {

uint64_t handle_of(hipStream_t stream) { return reinterpret_cast<uintptr_t>(stream); }

}  // namespace

void join(Clock& target, const Clock& other) {
  if (target.size() < other.size()) target.resize(other.size());
  for (size_t i = 0; i < other.size(); ++i)
    if (target[i] < other[i]) target[i] = other[i];
}

bool covers(const Clock& known, const Clock& other) {
  for (size_t i = 0; i < other.size(); ++i)
    if (other[i] != 0 && !Order::has(known, static_cast<int>(i), other[i])) return false;
  return true;
}

// A slot that is used again goes on counting: what the stream before it did comes first.
int Order::new_lane() {
  int slot = 0;
  Clock clock;
  if (!unused_.empty()) {
    slot = unused_.back();
    unused_.pop_back();
    clock.swap(lanes_[static_cast<size_t>(slot)].clock);
  } else {
    slot = static_cast<int>(lanes_.size());
    lanes_.emplace_back();
  }
  Lane& lane = lanes_[static_cast<size_t>(slot)];
  lane = Lane{};
  lane.used = true;
  lane.clock.swap(clock);
  if (lane.clock.size() <= static_cast<size_t>(slot)) lane.clock.resize(slot + 1);
  return slot;
}

int Order::legacy_slot(int device) {
  auto known = legacy_.find(device);
  if (known != legacy_.end()) return known->second;
  int slot = new_lane();
  Lane& lane = lanes_[static_cast<size_t>(slot)];
  lane.device = static_cast<uint8_t>(device);
  lane.legacy = true;
  legacy_[device] = slot;
  return slot;
}

int Order::add_stream(uint64_t handle, uint8_t device, bool blocking, uint32_t number) {
  int slot = new_lane();
  Lane& lane = lanes_[static_cast<size_t>(slot)];
  lane.handle = handle;
  lane.device = device;
  lane.blocking = blocking;
  lane.number = number;
  slots_[handle] = slot;
  return slot;
}

void Order::drop_stream(uint64_t handle) {
  auto found = slots_.find(handle);
  if (found == slots_.end()) return;
  drop_lane(found->second);
  slots_.erase(found);
}

void Order::drop_lane(int slot) {
  lanes_[static_cast<size_t>(slot)].used = false;
  unused_.push_back(slot);
}

int Order::slot_of(hipStream_t stream, Thread& thread, int device) {
  if (stream == nullptr || stream == hipStreamLegacy) return legacy_slot(device);
  if (stream == hipStreamPerThread) {
    if (thread.per_thread_stream < 0) {
      thread.per_thread_stream = new_lane();
      lanes_[static_cast<size_t>(thread.per_thread_stream)].per_thread = true;
    }
    return thread.per_thread_stream;
  }
  auto found = slots_.find(handle_of(stream));
  if (found != slots_.end()) return found->second;
  return add_stream(handle_of(stream), static_cast<uint8_t>(device), true, 0);
}

std::string Order::name_of(int slot) const {
  const Lane& named = lane(slot);
  if (named.legacy) return "the null stream";
  if (named.per_thread) return "the per-thread stream";
  if (named.number == 0) return "a stream made elsewhere";
  return "stream " + std::to_string(named.number) + (named.blocking ? "" : " (non-blocking)");
}

bool Order::advance(int slot, const Thread& thread) {
  Lane& lane = lanes_[static_cast<size_t>(slot)];
  if (lane.capture != 0) return false;
  join(lane.clock, host_);
  if (thread.seen != nullptr) join(lane.clock, *thread.seen);
  if (lane.legacy) {
    for (size_t other = 0; other < lanes_.size(); ++other) {
      const Lane& before = lanes_[other];
      if (!before.blocking || before.device != lane.device || &before == &lane) continue;
      if (!has(lane.clock, static_cast<int>(other), before.clock[other]))
        join(lane.clock, before.clock);
    }
  } else if (lane.blocking) {
    auto null_stream = legacy_.find(lane.device);
    if (null_stream != legacy_.end())
      join(lane.clock, lanes_[static_cast<size_t>(null_stream->second)].clock);
  }
  ++lane.clock[static_cast<size_t>(slot)];
  return true;
}

void Order::host_waits(const Clock& clock) {
  join(host_, clock);
  end_watches(host_);
}

// Waiting for the null stream is waiting for the streams that it waits for.
Clock Order::pending(int slot) {
  const Lane& waited = lane(slot);
  Clock clock = waited.clock;
  if (!waited.legacy) return clock;
  for (const Lane& other : lanes_)
    if (other.blocking && other.device == waited.device) join(clock, other.clock);
  return clock;
}

Clock Order::pending_on(int device) {
  Clock clock;
  for (const Lane& other : lanes_)
    if (other.device == device) join(clock, other.clock);
  return clock;
}

void Order::record(uint64_t event, int slot) {
  EventState& state = events_[event];
  const Lane& recorded = lane(slot);
  state.capture = recorded.capture;
  if (recorded.capture != 0) return;
  state.clock = recorded.clock;
  state.recorded = true;
}

void Order::wait(int slot, uint64_t event) {
  auto found = events_.find(event);
  if (found == events_.end()) return;
  Lane& waiting = lanes_[static_cast<size_t>(slot)];
  // A stream that waits for a captured event is drawn into the capture.
  if (found->second.capture != 0)
    waiting.capture = found->second.capture;
  else
    join(waiting.clock, found->second.clock);
}

void Order::begin_capture(int slot) { lanes_[static_cast<size_t>(slot)].capture = ++last_capture_; }

bool Order::capturing() const {
  for (const Lane& lane : lanes_)
    if (lane.capture != 0) return true;
  return false;
}

void Order::end_capture(int slot) {
  uint64_t ended = lane(slot).capture;
  for (Lane& captured : lanes_)
    if (captured.capture == ended) captured.capture = 0;
}

}  // namespace hipaudit::ledger
