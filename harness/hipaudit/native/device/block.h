// A block in flight: its fibers, its barrier, its waves.
#pragma once

#include <cstdint>
#include <vector>

#include "fiber.h"

namespace hipaudit {

struct Launch;

struct Wave {
  uint32_t live = 0;        // lanes that have not finished
  uint32_t at_barrier = 0;  // lanes that wait at a barrier of the block
  uint32_t in_call = 0;     // lanes that wait in a wave operation
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
  // Predicate sums of __syncthreads_count, _and, _or: gathered, and as of the last completed barrier.
  int gathered_count = 0;
  int gathered_nonzero = 0;
  int result_count = 0;
  int result_nonzero = 0;
  Fiber* resume = nullptr;  // where to go on after the block was set aside
  std::vector<Fiber> fibers;
  std::vector<Wave> waves;
  std::vector<char> shared;  // contents of shared memory while the block is set aside

  void begin(Launch* owner, uint64_t flat);
};

}  // namespace hipaudit
