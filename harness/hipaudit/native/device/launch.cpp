#include "launch.h"

#include <bit>
#include <cstring>
#include <numeric>

namespace hipaudit {
namespace {

uint64_t mix(uint64_t value) {
  value ^= value >> 30;
  value *= 0xbf58476d1ce4e5b9;
  value ^= value >> 27;
  value *= 0x94d049bb133111eb;
  return value ^ value >> 31;
}

// A walk through 0..count-1 with a stride coprime to the count, start and stride drawn from the
// seed.
uint64_t permuted(uint64_t position, uint64_t count, uint64_t seed) {
  constexpr uint64_t kMost = uint64_t{1} << 32;  // products stay in 64 bits
  if (seed == 0 || count < 2 || count > kMost) return position;
  uint64_t stride = mix(seed) % count;
  while (std::gcd(stride, count) != 1) ++stride;
  return (position * (stride % count) + mix(seed + 1) % count) % count;
}

}  // namespace

uint64_t Launch::block_at(uint64_t position) const {
  return permuted(position, blocks, order_seed);
}

bool Launch::claim_fault() {
  bool expected = false;
  bool mine = fault_claimed.compare_exchange_strong(expected, true);
  stop.store(true);
  return mine;
}

void Launch::note_shortage() {
  if (!claim_fault()) return;
  fault.ending = Ending::fault;
  strcpy(fault.message,
         "more threads wait at the same time than the emulated device has stacks for");
}

void Launch::note_timeout(uintptr_t pc, const ThreadIndex& thread, const ThreadIndex& block) {
  if (!timed_out.load() || !claim_fault()) return;
  fault.ending = Ending::timeout;
  fault.pc = pc;
  fault.thread = thread;
  fault.block = block;
}

void Launch::prepare() {
  auto saturate = [](uint64_t n) {
    return static_cast<unsigned>(n > 0xffffffffu ? 0xffffffffu : n);
  };
  wave_shift = static_cast<uint32_t>(std::countr_zero(wave_size));
  uint64_t size = uint64_t{shape.block[0]} * shape.block[1] * shape.block[2];
  blocks = uint64_t{shape.grid[0]} * shape.grid[1] * shape.grid[2];
  block_dim = {shape.block[0], shape.block[1], shape.block[2], saturate(size)};
  grid_dim = {shape.grid[0], shape.grid[1], shape.grid[2], saturate(blocks)};
  threads.clear();
  threads.reserve(size);
  uint64_t waves = (size + wave_size - 1) / wave_size;
  for (uint64_t position = 0; position < waves; ++position) {
    uint64_t first = permuted(position, waves, order_seed) * wave_size;
    for (uint64_t flat = first; flat < first + wave_size && flat < size; ++flat) {
      unsigned x = shape.block[0];
      unsigned y = shape.block[1];
      auto f = static_cast<unsigned>(flat);
      threads.push_back({f % x, f / x % y, f / x / y, f});
    }
  }
}

}  // namespace hipaudit
