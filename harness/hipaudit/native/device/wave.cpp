// Wave operations: lanes hand in a value, wait for the others, and get their result back.
//
// Lanes run one after another here, so which lanes are active together has to be found out. A caller may
// name them (the _sync forms). Otherwise, when every live lane of the wave has stopped, the ones waiting
// at the lowest instruction go first: that is where the hardware's program counter would be, because
// lanes that skipped a branch wait behind it.
#include <bit>

#include "kernel_abi.h"
#include "worker.h"

namespace hipaudit {

void wait_for_wave(Worker* worker, Fiber* self);

namespace {

enum Operation : uint32_t { ballot, shuffle, first, match, sync };

struct Lanes {
  Fiber* base;     // fiber of lane 0
  uint32_t count;  // lanes of the wave, fewer in a last partial one
};

Lanes lanes_of(Worker* worker, Block* block, uint32_t wave) {
  uint32_t width = worker->launch->wave_size;
  uint32_t begin = wave * width;
  uint32_t rest = static_cast<uint32_t>(block->size) - begin;
  return {block->fibers.data() + begin, rest < width ? rest : width};
}

// Gives every lane of `group` its result and lets it go.
void complete(Block* block, uint32_t wave, const Lanes& lanes, uint64_t group) {
  uint64_t set = 0;
  for (uint64_t rest = group; rest != 0; rest &= rest - 1) {
    int lane = std::countr_zero(rest);
    if (lanes.base[lane].call.value != 0) set |= uint64_t{1} << lane;
  }
  const Fiber& leader = lanes.base[std::countr_zero(group)];
  for (uint64_t rest = group; rest != 0; rest &= rest - 1) {
    Fiber& fiber = lanes.base[std::countr_zero(rest)];
    WaveCall& call = fiber.call;
    switch (call.operation) {
      case ballot: call.result = set; break;
      case first: call.result = leader.call.value; break;
      case shuffle:
        // A lane that does not take part has nothing to give: the hardware reads zero.
        call.result =
            (group >> call.source & 1) != 0 ? lanes.base[call.source].call.value : uint64_t{0};
        break;
      case match: {
        uint64_t same = 0;
        for (uint64_t other = group; other != 0; other &= other - 1) {
          int lane = std::countr_zero(other);
          if (lanes.base[lane].call.value == call.value) same |= uint64_t{1} << lane;
        }
        call.result = same;
        break;
      }
      default: call.result = group; break;
    }
    fiber.wait = Wait::none;
  }
  block->waves[wave].in_call -= static_cast<uint32_t>(std::popcount(group));
}

bool waits_in_call(const Fiber& fiber) {
  return fiber.started && !fiber.finished && fiber.wait == Wait::wave;
}

// The lanes that named exactly this mask and wait, if that is all of its live lanes; else 0.
uint64_t complete_group_of_mask(const Lanes& lanes, uint64_t mask) {
  uint64_t group = 0;
  for (uint32_t lane = 0; lane < lanes.count; ++lane) {
    const Fiber& fiber = lanes.base[lane];
    if ((mask >> lane & 1) == 0 || fiber.finished) continue;
    if (!waits_in_call(fiber) || fiber.call.mask != mask) return 0;
    group |= uint64_t{1} << lane;
  }
  return group;
}

// The waiting lanes at the lowest instruction among those that named no mask.
uint64_t lowest_group(const Lanes& lanes) {
  const char* lowest = nullptr;
  uint64_t group = 0;
  for (uint32_t lane = 0; lane < lanes.count; ++lane) {
    const Fiber& fiber = lanes.base[lane];
    if (!waits_in_call(fiber) || fiber.call.mask != 0) continue;
    if (lowest != nullptr && fiber.call.site > lowest) continue;
    if (fiber.call.site != lowest) group = 0;
    lowest = fiber.call.site;
    group |= uint64_t{1} << lane;
  }
  return group;
}

uint64_t call(uint32_t operation, uint64_t value, uint32_t source, uint64_t mask,
              const char* site) {
  Worker* worker = current_worker();
  Fiber* self = worker->current;
  self->call = {value, mask, 0, operation, source, site};
  self->wait = Wait::wave;
  Block* block = worker->block;
  uint32_t wave = self->index.flat / worker->launch->wave_size;
  ++block->waves[wave].in_call;
  resolve_wave(worker, block, wave);
  if (self->wait != Wait::none) wait_for_wave(worker, self);
  return self->call.result;
}

}  // namespace

void resolve_wave(Worker* worker, Block* block, uint32_t index) {
  const Wave& wave = block->waves[index];
  Lanes lanes = lanes_of(worker, block, index);
  const Fiber& asking = *worker->current;
  uint64_t group = 0;
  uint64_t named = asking.call.mask & (~uint64_t{0} >> (64 - lanes.count));
  bool enough = wave.in_call + (lanes.count - wave.live) >=
                static_cast<uint32_t>(std::popcount(named));
  if (asking.wait == Wait::wave && named != 0 && enough)
    group = complete_group_of_mask(lanes, asking.call.mask);
  if (group == 0 && wave.in_call + wave.at_barrier == wave.live) {
    group = lowest_group(lanes);
    for (uint32_t lane = 0; group == 0 && lane < lanes.count; ++lane)
      if (waits_in_call(lanes.base[lane]))
        group = complete_group_of_mask(lanes, lanes.base[lane].call.mask);
  }
  if (group == 0) return;
  complete(block, index, lanes, group);
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

void hipaudit_wave_sync(uint64_t mask) { call(sync, 1, 0, mask, HIPAUDIT_SITE); }

void hipaudit_wave_barrier() { call(sync, 1, 0, 0, HIPAUDIT_SITE); }
