// What a race is called, and what is said of it.
#include <algorithm>
#include <cstring>

#include "check/sites.h"
#include "check/step.h"

namespace hipaudit {
namespace {

const char* access_name(Access kind) {
  return kind == Access::read ? "read" : kind == Access::write ? "write" : "atomic";
}

}  // namespace

Observation observation(const Step& c, const char* kind) {
  Observation seen;
  seen.kind = kind;
  seen.space = c.now.shared ? "shared" : "global";
  seen.access = access_name(c.flags.kind);
  seen.bytes = c.size;
  seen.address = c.named;
  seen.here = present_side(*c.now.worker, c.pc);
  return seen;
}

bool same_block(const Step& c, const Record& record) {
  return c.now.check->contains(record) || block_of(record.epoch()) == c.now.check->index;
}

// How far atomics must go to exclude the running thread and the one of the record.
Reach distance(const Step& c, const Record& record) {
  if (!same_block(c, record)) return Reach::device;
  return wave_of(record, c.now) == c.now.wave ? Reach::wave : Reach::block;
}

namespace {

// An atomic of one thread's scope leaves the record of a plain access: its instruction tells.
bool both_atomic(const Step& c, const Record& other, uintptr_t other_pc) {
  if (c.flags.kind != Access::atomic) return false;
  return other.atomic() || (c.flags.reach == Reach::none && other_pc == c.pc);
}

std::string scope_message(const Step& c, const Record& other) {
  static constexpr const char* kScopes[] = {"one thread's", "wavefront", "workgroup", "agent"};
  static constexpr const char* kApart[] = {"", "two lanes", "two waves", "two blocks"};
  Reach narrower = std::min(other.reach(), c.flags.reach);
  return std::string("atomics of ") + kScopes[static_cast<size_t>(narrower)] + " scope from " +
         kApart[static_cast<size_t>(distance(c, other))];
}

void describe_in_wave(const Step& c, const Record& other, bool both_write, Observation* seen) {
  bool one_instruction = seen->other.pc == c.pc;
  seen->kind = "race-wave";
  seen->message = "relies on the lanes of a wave running in lockstep";
  if (both_write && one_instruction) {
    seen->message = "lanes of one instruction write different values";
  } else if (c.now.worker->launch->wave_size == 64 && (other.thread() ^ c.now.thread) >= 32) {
    seen->kind = "wave-size-dependence";
    seen->message = "ordered only where waves have 64 lanes";
  } else {
    seen->severity = "warning";
  }
}

// The write that is about to happen and an earlier one conflict: an error unless both write the
// same value, which shows after the store. Of a large copy, from the first word that they meet in
// to the last one.
void wait_for_value(const Step& c, uintptr_t word, const Observation& seen) {
  if (c.several && seen.other.block != seen.here.block)
    let_block_step(c.now.worker, seen.other.block, c.address);
  constexpr uint32_t kWidest = 16;  // that one instruction stores
  uintptr_t begin = c.address;
  uintptr_t end = c.address + c.size;
  if (c.size > kWidest) {
    begin = std::max(begin, word);
    end = std::min(end, word + 4);
  }
  PendingWrite& pending = c.worker->pending;
  if (pending.seen.empty()) {
    pending.address = begin;
    pending.before.clear();
  }
  set_attention(kPendingWrite);
  auto alike = [&](const Observation& one) { return one.other.pc == seen.other.pc; };
  auto known = std::find_if(pending.seen.begin(), pending.seen.end(), alike);
  if (known == pending.seen.end())
    pending.seen.push_back(seen);
  else
    *known = seen;
  uintptr_t kept = pending.address + pending.before.size();
  if (kept < end)
    pending.before.append(reinterpret_cast<const char*>(kept), static_cast<size_t>(end - kept));
}

}  // namespace

void report_race(const Step& c, size_t word, const Conflict& conflict) {
  const Launch& launch = *c.now.worker->launch;
  const Record& other = conflict.record;
  explain_unwritten(c.now, word);
  const char* name = other.atomic() ? "atomic" : conflict.stored ? "write" : "read";
  Observation seen = observation(c, c.now.shared ? "race-shared" : "race-global");
  seen.other = {running_sites().place(other.site()), block_of(other.epoch()), other.thread()};
  seen.message = std::string("unordered with the ") + name + " by another thread";
  bool both_write = c.stores() && conflict.stored;
  if (both_atomic(c, other, seen.other.pc)) {
    seen.kind = "race-atomic-scope";
    seen.message = scope_message(c, other);
  } else if (!same_block(c, other)) {
    seen.kind = "race-grid";
    seen.message = std::string("unordered with the ") + name + " by a thread of another block";
  } else if (wave_of(other, c.now) == c.now.wave) {
    describe_in_wave(c, other, both_write, &seen);
  } else if (c.now.check->contains(other) && other.epoch() <= c.now.check->bare) {
    seen.kind = "barrier-without-fence";
    seen.message = "the barrier between them does not order this memory";
  }
  if (both_write && c.flags.kind == Access::write)
    wait_for_value(c, (c.now.shared ? c.address - c.named : kDeviceBase) + word * 4, seen);
  else
    observe(launch, seen);
}

}  // namespace hipaudit
