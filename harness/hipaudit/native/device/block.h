// A block in flight: its fibers, its barrier, its waves.
#pragma once

#include <cstdint>
#include <vector>

#include "fiber.h"

namespace hipaudit {

struct Launch;

constexpr uint32_t kMostLanes = 64;

// What a lane hands to a wave operation.
struct LaneCall {
  uint64_t mask = 0;  // lanes that go together; 0: whichever are active
  uint64_t result = 0;
  uint32_t operation = 0;
  uint64_t wanted = 0;  // the mask as it was given; 0: none
  bool strict = false;  // it was the kernel's own: also lanes that have ended must not be in it
};

struct Wave {
  Fiber* lanes = nullptr;   // of the block's fibers, this wave's first
  uint32_t count = 0;       // lanes, fewer than the width in a last partial wave
  uint32_t live = 0;        // lanes that have not finished
  uint32_t at_barrier = 0;  // lanes that wait at a barrier of the block
  uint32_t in_call = 0;     // lanes that wait in a wave operation
  // An operation that all live lanes enter at one place completes without a look at each of them:
  // two sets of values alternate, because the first lanes enter the next operation before the last
  // ones have read the results of this one.
  bool uniform = true;  // the lanes that wait do so at one place, without a mask of their own
  bool masked = false;  // one of them gave a mask
  uint32_t epoch = 0;   // completed operations of that kind; its lowest bit chooses the set
  uint32_t operation = 0;
  const char* site = nullptr;
  uint64_t present[2] = {0, 0};    // lanes that took part
  uint64_t set[2] = {0, 0};        // those among them with a value other than 0
  uint64_t undefined[2] = {0, 0};  // what is read from lanes that do not take part
  uint64_t values[2][kMostLanes];
  LaneCall calls[kMostLanes];
};

struct Block {
  Launch* launch = nullptr;
  ThreadIndex index = {};
  int size = 0;  // threads
  int live = 0;  // threads that have not finished
  int arrived = 0;
  int in_ring = 0;
  int next_start = 0;  // position in the launch's order of threads
  uint32_t epoch = 0;  // counts completed barriers
  uint32_t grid_epoch = 0;
  bool at_grid = false;  // every live thread waits for the grid
  int grid_arrived = 0;
  // Predicate sums of __syncthreads_count, _and, _or: gathered, and as of the last completed
  // barrier.
  int gathered_count = 0;
  int gathered_nonzero = 0;
  int result_count = 0;
  int result_nonzero = 0;
  Fiber* resume = nullptr;  // where to go on after the block was set aside
  std::vector<Fiber> fibers;
  std::vector<Wave> waves;
  void* check = nullptr;     // what an observer keeps of the block
  int barrier_kind = 0;      // what all that have arrived ask of the barrier
  std::vector<char> shared;  // contents of shared memory while the block is set aside

  void begin(Launch* owner, uint64_t flat);
};

}  // namespace hipaudit
