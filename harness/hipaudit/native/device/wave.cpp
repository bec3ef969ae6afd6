// Wave operations: lanes hand in a value, wait for the others, and get their result back.
//
// Lanes run one after another here, so which lanes are active together has to be found out. A
// caller may name them (the _sync forms): those go together when all of them wait at one
// instruction with the same mask. Otherwise, when every live lane of the wave has stopped,
// the ones waiting at the lowest instruction go first: that is where the hardware's program counter
// would be, because lanes that skipped a branch wait behind it.
#include <bit>

#include "kernel_abi.h"
#include "worker.h"

namespace hipaudit {
namespace {

// ordered_sync orders the lanes' memory as well; sync only brings them together.
enum Operation : uint32_t { ballot, shuffle, permute, first, match, sync, ordered_sync };

// What a lane asks for. The places of two lanes tell whether they ask for the same.
struct Request {
  Operation operation;
  uint64_t value;
  uint32_t source = 0;  // of a shuffle
  uint64_t mask = 0;
  bool named = false;
};

uint32_t lane_of(const Fiber& fiber) { return static_cast<uint32_t>(&fiber - fiber.wave->lanes); }
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
    // A lane that does not take part has nothing to give.
    case shuffle:
    case permute:
      return (group & bit(source)) != 0 ? wave.values[side][source] : wave.undefined[side];
    case first:
      return wave.values[side][std::countr_zero(group)];
    case match:
      return match_of(wave.values[side], group, value);
    default:
      return group;
  }
}

uint64_t tell_misuse(Worker* worker, Block* block, const Wave& wave, WaveFault fault, uint32_t lane,
                     uint32_t other) {
  WaveMisuse misuse{fault, wave.calls[lane].wanted, &wave.lanes[lane],
                    other < wave.count ? &wave.lanes[other] : nullptr, other};
  return worker->launch->observer->wave_misused(*worker, *block, misuse);
}

// Lanes that the masks of the group name and that are not in it.
void check_masks(Worker* worker, Block* block, const Wave& wave, uint64_t group) {
  uint64_t width = ~uint64_t{0} >> (kMostLanes - worker->launch->wave_size);
  uint64_t live = 0;
  for (uint32_t lane = 0; lane < wave.count; ++lane)
    if (!wave.lanes[lane].finished) live |= bit(lane);
  for (uint64_t rest = group; rest != 0; rest &= rest - 1) {
    auto lane = static_cast<uint32_t>(std::countr_zero(rest));
    const LaneCall& call = wave.calls[lane];
    if (uint64_t missing = call.wanted & (call.strict ? width : live) & ~group)
      tell_misuse(worker, block, wave, WaveFault::lanes_missing, lane,
                  static_cast<uint32_t>(std::countr_zero(missing)));
  }
}

void check_sources(Worker* worker, Block* block, Wave& wave, uint64_t group) {
  for (uint64_t rest = group; rest != 0; rest &= rest - 1) {
    auto lane = static_cast<uint32_t>(std::countr_zero(rest));
    uint32_t source = wave.calls[lane].operation >> 3;
    // A source that the mask names is reported with the mask.
    if (((group | wave.calls[lane].wanted) & bit(source)) == 0)
      wave.undefined[wave.epoch & 1] =
          tell_misuse(worker, block, wave, WaveFault::inactive_source, lane, source);
  }
}

void tell(Worker* worker, Block* block, Wave& wave, uint64_t group) {
  Observer* observer = worker->launch->observer;
  if (observer == nullptr) return;
  auto lane = static_cast<uint32_t>(std::countr_zero(group));
  auto index = static_cast<uint32_t>(&wave - block->waves.data());
  uint32_t operation = wave.calls[lane].operation & 7;
  if (wave.masked) check_masks(worker, block, wave, group);
  if (operation == shuffle && group != ~uint64_t{0}) check_sources(worker, block, wave, group);
  observer->wave_meets(*worker, *block, index, group, operation == ordered_sync);
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
    call.result =
        result_of(wave, side, call.operation & 7, wave.values[side][lane], call.operation >> 3);
    wave.lanes[lane].wait = Wait::none;
  }
  wave.present[side] = present & ~group;
  wave.set[side] = set & ~group;
  wave.in_call -= static_cast<uint32_t>(std::popcount(group));
  if (wave.in_call == 0) {
    wave.uniform = true;
    wave.masked = false;
  }
}

bool waits_in_call(const Fiber& fiber) {
  return fiber.started && !fiber.finished && fiber.wait == Wait::wave;
}

// The lanes that wait where `asking` does with the same mask, if that is all of the mask's live
// lanes; else 0.
uint64_t complete_group_of_mask(const Wave& wave, uint32_t asking) {
  uint64_t mask = wave.calls[asking].mask;
  uint64_t group = 0;
  for (uint32_t lane = 0; lane < wave.count; ++lane) {
    const Fiber& fiber = wave.lanes[lane];
    if ((mask & bit(lane)) == 0 || fiber.finished) continue;
    if (!waits_in_call(fiber) || wave.calls[lane].mask != mask ||
        fiber.site != wave.lanes[asking].site)
      return 0;
    group |= bit(lane);
  }
  return group;
}

// The waiting lanes at the lowest instruction among those that named no mask, or, when others of
// what they named never come, among all, those of one mask.
uint64_t lowest_group(const Wave& wave, bool masked) {
  const char* lowest = nullptr;
  uint64_t mask = 0;
  uint64_t group = 0;
  for (uint32_t lane = 0; lane < wave.count; ++lane) {
    const Fiber& fiber = wave.lanes[lane];
    if (!waits_in_call(fiber) || (!masked && wave.calls[lane].mask != 0)) continue;
    if (lowest != nullptr && fiber.site > lowest) continue;
    if (fiber.site == lowest && wave.calls[lane].mask != mask) continue;
    if (fiber.site != lowest) group = 0;
    lowest = fiber.site;
    mask = wave.calls[lane].mask;
    group |= bit(lane);
  }
  return group;
}

// When no lane of the wave runs any more: who goes on.
uint64_t group_of_stopped(const Wave& wave) {
  uint64_t group = lowest_group(wave, false);
  for (uint32_t lane = 0; group == 0 && lane < wave.count; ++lane)
    if (waits_in_call(wave.lanes[lane])) group = complete_group_of_mask(wave, lane);
  return group != 0 ? group : lowest_group(wave, true);
}

// True when the wave's lanes wait for each other at one place, and the last one has come.
bool all_together(const Wave& wave) { return wave.uniform && wave.in_call == wave.live; }

// True when some of the wave have not stopped yet, and those that have wait at one place.
bool others_to_come(const Wave& wave) {
  return wave.uniform && wave.in_call + wave.at_barrier < wave.live;
}

void complete_all(Worker* worker, Block* block, Wave& wave) {
  tell(worker, block, wave, wave.present[wave.epoch & 1]);
  wave.in_call = 0;
  wave.masked = false;
  ++wave.epoch;
  wave.present[wave.epoch & 1] = wave.set[wave.epoch & 1] = 0;
  worker->step();
}

void enter(Wave& wave, Fiber* self, uint32_t lane, const Request& request, uint64_t mask) {
  uint32_t side = wave.epoch & 1;
  wave.values[side][lane] = request.value;
  wave.present[side] |= bit(lane);
  if (request.value != 0) wave.set[side] |= bit(lane);
  LaneCall& call = wave.calls[lane];
  call.mask = mask;
  call.operation = request.operation | request.source << 3;
  call.wanted = request.mask;
  call.strict = request.named;
  wave.masked = wave.masked || request.mask != 0;
  if (wave.in_call++ == 0) {
    wave.site = self->site;
    wave.uniform = mask == 0;
  } else if (wave.site != self->site || mask != 0) {
    wave.uniform = false;
  }
}

// The lanes to wait for: 0 when all of the wave's are named, which says no more than no mask does,
// and for a mask that cannot be meant.
uint64_t usable_mask(Worker* worker, Block* block, Wave& wave, uint32_t lane,
                     const Request& request) {
  uint64_t mask = request.mask;
  if (request.named && (mask & bit(lane)) == 0) {
    wave.calls[lane].wanted = mask;
    WaveFault fault = mask == 0 ? WaveFault::empty_mask : WaveFault::not_named;
    if (worker->launch->observer != nullptr)
      tell_misuse(worker, block, wave, fault, lane, kMostLanes);
    return 0;
  }
  return (mask & all_lanes(wave)) == all_lanes(wave) ? 0 : mask;
}

__attribute__((always_inline)) inline uint64_t call(const Request& request, const char* site) {
  Worker* worker = current_worker();
  Fiber* self = worker->current;
  Block* block = worker->block;
  Wave& wave = *self->wave;
  uint32_t lane = lane_of(*self);
  self->site = site;
  uint64_t mask = request.mask;
  if (mask != 0 || request.named) mask = usable_mask(worker, block, wave, lane, request);
  self->wait = Wait::wave;
  enter(wave, self, lane, request, mask);
  uint32_t epoch = wave.epoch;
  worker->idle = 0;
  if (all_together(wave)) {
    complete_all(worker, block, wave);
  } else {
    if (!others_to_come(wave)) resolve_wave(worker, block, wave);
    while (wave.epoch == epoch && self->wait != Wait::none) {
      if (worker->idle++ > 2 * static_cast<uint32_t>(block->in_ring) + 2)
        stuck(worker, self);
      else
        advance_in_wave(worker, self);
    }
    worker->idle = 0;
  }
  bool alone = self->wait == Wait::none;  // with a result of its own, of a group's operation
  self->wait = Wait::none;
  return alone ? wave.calls[lane].result
               : result_of(wave, epoch & 1, request.operation, request.value, request.source);
}

}  // namespace

void resolve_wave(Worker* worker, Block* block, Wave& wave) {
  if (all_together(wave)) {
    complete_all(worker, block, wave);
    return;
  }
  if (others_to_come(wave)) return;
  uint64_t group = 0;
  const Fiber& asking = *worker->current;
  uint32_t lane = lane_of(asking);
  if (waits_in_call(asking) && wave.calls[lane].mask != 0)
    group = complete_group_of_mask(wave, lane);
  if (group == 0 && wave.in_call + wave.at_barrier == wave.live) group = group_of_stopped(wave);
  if (group == 0) return;
  tell(worker, block, wave, group);
  complete(wave, group);
  worker->step();
}

}  // namespace hipaudit

using namespace hipaudit;

#define HIPAUDIT_SITE static_cast<const char*>(__builtin_return_address(0))

uint64_t hipaudit_wave_ballot(int predicate, uint64_t mask, int named) {
  return call({ballot, predicate != 0, 0, mask, named != 0}, HIPAUDIT_SITE);
}

uint64_t hipaudit_wave_shuffle(uint64_t value, int source, uint64_t mask, int named) {
  uint32_t lane = static_cast<uint32_t>(source) & (context().wave_size - 1);
  if (mask == 0 && named == 0) return call({shuffle, value, lane}, HIPAUDIT_SITE);
  return call({shuffle, value, lane, mask, named != 0}, HIPAUDIT_SITE);
}

uint64_t hipaudit_wave_permute(uint64_t value, int source) {
  uint32_t lane = static_cast<uint32_t>(source) & (context().wave_size - 1);
  return call({permute, value, lane}, HIPAUDIT_SITE);
}

uint64_t hipaudit_wave_first(uint64_t value) { return call({first, value}, HIPAUDIT_SITE); }

uint64_t hipaudit_wave_match(uint64_t value, uint64_t mask, int named) {
  return call({match, value, 0, mask, named != 0}, HIPAUDIT_SITE);
}

void hipaudit_wave_sync(uint64_t mask, int named) {
  call({ordered_sync, 1, 0, mask, named != 0}, HIPAUDIT_SITE);
}

void hipaudit_wave_barrier() { call({sync, 1}, HIPAUDIT_SITE); }
