// Wave operations: lanes hand in a value, wait for the others, and get their result back.
//
// Lanes run one after another here, so which lanes are active together has to be found out. A
// caller may name them (the _sync forms). Otherwise, when every live lane of the wave has stopped,
// the ones waiting at the lowest instruction go first: that is where the hardware's program counter
// would be, because lanes that skipped a branch wait behind it.
#include <bit>

#include "kernel_abi.h"
#include "worker.h"

namespace hipaudit {
namespace {

// ordered_sync orders the lanes' memory as well; sync only brings them together.
enum Operation : uint32_t { ballot, shuffle, first, match, sync, ordered_sync };

uint64_t bit(uint32_t lane) { return uint64_t{1} << lane; }
uint64_t all_lanes(const Wave& wave) { return ~uint64_t{0} >> (kMostLanes - wave.count); }

uint64_t match_of(const uint64_t* values, uint64_t group, uint64_t value) {
  uint64_t same = 0;
  for (uint64_t rest = group; rest != 0; rest &= rest - 1) {
    int lane = std::countr_zero(rest);
    if (values[lane] == value) same |= bit(static_cast<uint32_t>(lane));
  }
  return same;
}

// What a lane gets of an operation that `group` took part in.
uint64_t result_of(const Wave& wave, uint32_t side, uint32_t operation, uint64_t value,
                   uint32_t source) {
  uint64_t group = wave.present[side];
  switch (operation) {
    case ballot:
      return wave.set[side];
    // A lane that does not take part has nothing to give: the hardware reads zero.
    case shuffle:
      return (group & bit(source)) != 0 ? wave.values[side][source] : 0;
    case first:
      return wave.values[side][std::countr_zero(group)];
    case match:
      return match_of(wave.values[side], group, value);
    default:
      return group;
  }
}

void tell(Worker* worker, Block* block, const Wave& wave, uint64_t group) {
  Observer* observer = worker->launch->observer;
  if (observer == nullptr) return;
  auto lane = static_cast<uint32_t>(std::countr_zero(group));
  auto index = static_cast<uint32_t>(&wave - block->waves.data());
  bool ordered = (wave.calls[lane].operation & 7) == ordered_sync;
  observer->wave_meets(*worker, *block, index, group, ordered);
}

// Lanes released one group at a time get their results at once, because the others may be far
// behind.
void complete(Wave& wave, uint64_t group) {
  uint32_t side = wave.epoch & 1;
  uint64_t present = wave.present[side];
  uint64_t set = wave.set[side];
  wave.present[side] = group;
  wave.set[side] = set & group;
  for (uint64_t rest = group; rest != 0; rest &= rest - 1) {
    auto lane = static_cast<uint32_t>(std::countr_zero(rest));
    LaneCall& call = wave.calls[lane];
    call.result = result_of(wave, side, call.operation & 7, call.value, call.operation >> 3);
    wave.lanes[lane].wait = Wait::none;
  }
  wave.present[side] = present & ~group;
  wave.set[side] = set & ~group;
  wave.in_call -= static_cast<uint32_t>(std::popcount(group));
  if (wave.in_call == 0) wave.uniform = true;
}

bool waits_in_call(const Fiber& fiber) {
  return fiber.started && !fiber.finished && fiber.wait == Wait::wave;
}

// The lanes that named exactly this mask and wait, if that is all of its live lanes; else 0.
uint64_t complete_group_of_mask(const Wave& wave, uint64_t mask) {
  uint64_t group = 0;
  for (uint32_t lane = 0; lane < wave.count; ++lane) {
    const Fiber& fiber = wave.lanes[lane];
    if ((mask & bit(lane)) == 0 || fiber.finished) continue;
    if (!waits_in_call(fiber) || wave.calls[lane].mask != mask) return 0;
    group |= bit(lane);
  }
  return group;
}

// The waiting lanes at the lowest instruction among those that named no mask.
uint64_t lowest_group(const Wave& wave) {
  const char* lowest = nullptr;
  uint64_t group = 0;
  for (uint32_t lane = 0; lane < wave.count; ++lane) {
    const Fiber& fiber = wave.lanes[lane];
    if (!waits_in_call(fiber) || wave.calls[lane].mask != 0) continue;
    if (lowest != nullptr && fiber.site > lowest) continue;
    if (fiber.site != lowest) group = 0;
    lowest = fiber.site;
    group |= bit(lane);
  }
  return group;
}

// True when the wave's lanes wait for each other at one place, and the last one has come.
bool all_together(const Wave& wave) { return wave.uniform && wave.in_call == wave.live; }

void complete_all(Worker* worker, Block* block, Wave& wave) {
  tell(worker, block, wave, wave.present[wave.epoch & 1]);
  wave.in_call = 0;
  ++wave.epoch;
  wave.present[wave.epoch & 1] = wave.set[wave.epoch & 1] = 0;
  worker->step();
}

void enter(Wave& wave, Fiber* self, uint32_t lane, uint32_t operation, uint64_t value,
           uint64_t mask) {
  uint32_t side = wave.epoch & 1;
  wave.values[side][lane] = value;
  wave.present[side] |= bit(lane);
  if (value != 0) wave.set[side] |= bit(lane);
  wave.calls[lane] = {value, mask, 0, operation};
  if (wave.in_call++ == 0) {
    wave.site = self->site;
    wave.uniform = mask == 0;
  } else if (wave.site != self->site || mask != 0) {
    wave.uniform = false;
  }
}

uint64_t call(uint32_t operation, uint64_t value, uint32_t source, uint64_t mask,
              const char* site) {
  Worker* worker = current_worker();
  Fiber* self = worker->current;
  Block* block = worker->block;
  uint32_t index = self->index.flat >> worker->launch->wave_shift;
  uint32_t lane = self->index.flat & (worker->launch->wave_size - 1);
  Wave& wave = block->waves[index];
  // A mask that names every lane says no more than none does.
  if ((mask & all_lanes(wave)) == all_lanes(wave)) mask = 0;
  self->site = site;
  self->wait = Wait::wave;
  enter(wave, self, lane, operation | source << 3, value, mask);
  uint32_t epoch = wave.epoch;
  worker->idle = 0;
  if (all_together(wave)) {
    complete_all(worker, block, wave);
  } else {
    resolve_wave(worker, block, index);
    while (wave.epoch == epoch && self->wait != Wait::none) {
      if (worker->idle++ > 2 * static_cast<uint32_t>(block->in_ring) + 2)
        stuck(worker, self);
      else
        advance_in_wave(worker, self);
    }
  }
  bool alone = self->wait == Wait::none;  // with a result of its own, of a group's operation
  self->wait = Wait::none;
  return alone ? wave.calls[lane].result : result_of(wave, epoch & 1, operation, value, source);
}

}  // namespace

void resolve_wave(Worker* worker, Block* block, uint32_t index) {
  Wave& wave = block->waves[index];
  if (all_together(wave)) {
    complete_all(worker, block, wave);
    return;
  }
  if (wave.uniform && wave.in_call + wave.at_barrier < wave.live) return;
  uint64_t group = 0;
  const Fiber& asking = *worker->current;
  if (waits_in_call(asking)) {
    uint64_t mask = wave.calls[asking.index.flat & (worker->launch->wave_size - 1)].mask;
    if (mask != 0) group = complete_group_of_mask(wave, mask);
  }
  if (group == 0 && wave.in_call + wave.at_barrier == wave.live) {
    group = lowest_group(wave);
    for (uint32_t lane = 0; group == 0 && lane < wave.count; ++lane)
      if (waits_in_call(wave.lanes[lane]))
        group = complete_group_of_mask(wave, wave.calls[lane].mask);
  }
  if (group == 0) return;
  tell(worker, block, wave, group);
  complete(wave, group);
  worker->step();
}

}  // namespace hipaudit

using namespace hipaudit;

#define HIPAUDIT_SITE static_cast<const char*>(__builtin_return_address(0))

uint64_t hipaudit_wave_ballot(int predicate, uint64_t mask) {
  return call(ballot, predicate != 0, 0, mask, HIPAUDIT_SITE);
}

uint64_t hipaudit_wave_shuffle(uint64_t value, int source, uint64_t mask) {
  uint32_t lane = static_cast<uint32_t>(source) & (context().wave_size - 1);
  return call(shuffle, value, lane, mask, HIPAUDIT_SITE);
}

uint64_t hipaudit_wave_first(uint64_t value) { return call(first, value, 0, 0, HIPAUDIT_SITE); }

uint64_t hipaudit_wave_match(uint64_t value, uint64_t mask) {
  return call(match, value, 0, mask, HIPAUDIT_SITE);
}

void hipaudit_wave_sync(uint64_t mask) { call(ordered_sync, 1, 0, mask, HIPAUDIT_SITE); }

void hipaudit_wave_barrier() { call(sync, 1, 0, 0, HIPAUDIT_SITE); }
