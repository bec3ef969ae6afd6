// One launch: what the workers run, and how it ended.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "adversary.h"
#include "hipaudit/context.h"
#include "image.h"
#include "journal.h"
#include "observer.h"
#include "sync.h"

namespace hipaudit {

struct LaunchShape {
  uint32_t grid[3] = {1, 1, 1};
  uint32_t block[3] = {1, 1, 1};
  uint32_t shared_bytes = 0;  // dynamic
  bool cooperative = false;
};

enum class Ending : uint8_t { completed, fault, timeout, deadlock, aborted };

// Why a launch was given up: filled in by the first worker that finds a reason.
struct Fault {
  Ending ending = Ending::completed;
  int signal = 0;
  uintptr_t address = 0;    // of a faulting access
  bool no_address = false;  // the processor did not say which address it was
  bool in_guard = false;    // the address lies in the guard page of the thread's own stack
  bool write = false;
  uintptr_t pc = 0;        // within the kernel's code; 0: unknown
  uintptr_t other_pc = 0;  // a second place that explains a deadlock
  ThreadIndex thread = {};
  ThreadIndex other_thread = {};
  ThreadIndex block = {};
  char message[256] = {};
};

struct Launch {
  Observer* observer = nullptr;  // of a checked build
  const Kernel* kernel = nullptr;
  const char* arguments = nullptr;  // packed
  LaunchShape shape;
  ThreadIndex block_dim = {};
  ThreadIndex grid_dim = {};
  uint64_t blocks = 0;
  uint32_t wave_size = 64;
  uint32_t wave_shift = 6;  // its logarithm
  uint64_t order_seed = 0;
  Adversary adversary;
  double timeout_s = 10;
  int workers = 1;                   // that run it
  std::vector<ThreadIndex> threads;  // of a block, in the order in which they start

  std::atomic<uint64_t> next_block{0};
  std::atomic<uint64_t> finished_blocks{0};
  std::atomic<bool> held_back{false};  // blocks, for want of stacks
  std::atomic<bool> stop{false};       // leave as soon as possible
  std::atomic<bool> timed_out{false};  // why
  std::atomic<bool> given_up{false};   // why: an observer has said what is wrong
  std::atomic<bool> fault_claimed{false};
  Fault fault;
  Mutex grid_mutex;
  uint64_t grid_arrived = 0;
  std::atomic<uint32_t> grid_epoch{0};
  std::atomic<uint64_t> accesses{0};
  std::atomic<uint64_t> moved{0};  // bytes of those that were to global memory

  // Works out what follows from shape, wave_size and order_seed.
  void prepare();
  // The block to run at position i of the order.
  uint64_t block_at(uint64_t position) const;
  // True for the one caller that may fill in `fault`; stops the launch.
  bool claim_fault();
  // Says that more threads wait at the same time than there are stacks for.
  void note_shortage();
  // Takes the blame for a launch that timed out, unless another worker did.
  void note_timeout(uintptr_t pc, const ThreadIndex& thread, const ThreadIndex& block);
};

// Runs the launch on up to `count` workers (0: one a core) and waits for its end. Launches of
// several host threads run one after another.
void run_launch(Launch& launch, int count);

}  // namespace hipaudit
