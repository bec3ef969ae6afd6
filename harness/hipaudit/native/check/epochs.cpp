#include "epochs.h"

#include <algorithm>
#include <atomic>

#include "device/sync.h"

namespace hipaudit {
namespace {

constexpr uint32_t kMostPerBlock = 1024;   // at first; every fence takes one
constexpr uint32_t kMore = 1u << 16;       // at the most, when those are used up
constexpr uint64_t kForBlocks = 1u << 25;  // that a launch takes for its blocks at the most
constexpr uint32_t kInReserve = 1u << 24;  // for blocks that need more in the middle of it
static_assert(kForBlocks + kInReserve < kSpentEpochs, "a launch fits");
static_assert(kSpentEpochs + kMore <= Record::kMostEpochs, "and those without numbers");

std::atomic<uint32_t> next_epoch{1};
uint32_t floor_epoch = 1;
uint32_t beginnings = 1;
uint32_t per_block = 1;
uint64_t block_count = 0;
Mutex mutex;

// Epochs given out in the middle of a launch: the first of each run, and its block.
std::map<uint32_t, uint32_t>& extra_runs() {
  static auto* map = new std::map<uint32_t, uint32_t>;
  return *map;
}

void start_run(BlockCheck& check, uint32_t first, uint32_t count) {
  check.first = check.epoch = first;
  check.end = first + count;
  uint32_t before = first - 1;
  check.past = {before, before};
  check.bare = before;
  std::fill(check.wave_past, check.wave_past + kMostWaves, before);
  std::fill(check.wave_bare, check.wave_bare + kMostWaves, before);
  for (ThreadSync& sync : check.threads) sync.past = sync.wave_released = sync.wave_seen = before;
}

// All that the block did so far counts as past for its own threads from now on.
void take_more(BlockCheck& check) {
  Locked lock(mutex);
  check.older.emplace_back(check.first, check.end);
  uint32_t count = std::min(kMore, 2 * (check.end - check.first));
  uint32_t first = next_epoch.load();
  if (first + count > kSpentEpochs) {
    start_run(check, kSpentEpochs, kMore);
    return;
  }
  next_epoch = first + count;
  extra_runs()[first] = check.index;
  start_run(check, first, count);
}

}  // namespace

void begin_epochs(uint64_t blocks) {
  Locked lock(mutex);
  per_block = kMostPerBlock;
  while (per_block > 1 && blocks * per_block > kForBlocks) per_block /= 2;
  uint64_t wanted = std::min(blocks * per_block, kForBlocks);
  if (next_epoch.load() + wanted + kInReserve > kSpentEpochs) {
    forget_accesses();
    next_epoch = 1;
    ++beginnings;
  }
  extra_runs().clear();
  block_count = blocks;
  floor_epoch = next_epoch.fetch_add(static_cast<uint32_t>(wanted));
}

uint32_t first_epoch() { return floor_epoch; }
uint32_t epoch_beginnings() { return beginnings; }

void enter_epochs(BlockCheck& check) {
  // Of more blocks than there are numbers, some share one.
  uint64_t place = check.index * uint64_t{per_block} % kForBlocks;
  check.floor = floor_epoch;
  start_run(check, floor_epoch + static_cast<uint32_t>(place), per_block);
}

void advance_epoch(BlockCheck& check) {
  if (++check.epoch == check.end) take_more(check);
}

void advance_past_barrier(BlockCheck& check) {
  ++check.epoch;
  if (check.end - check.epoch < (check.end - check.first) / 4 + 1) take_more(check);
}

uint32_t block_of(uint32_t epoch) {
  uint64_t place = (epoch - floor_epoch) / per_block;
  if (place < block_count && (epoch - floor_epoch) < kForBlocks)
    return static_cast<uint32_t>(place);
  Locked lock(mutex);
  auto after = extra_runs().upper_bound(epoch);
  return after == extra_runs().begin() ? 0 : std::prev(after)->second;
}

}  // namespace hipaudit
