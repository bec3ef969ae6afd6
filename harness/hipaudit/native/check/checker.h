// The checkers of a launch: bounds, lifetime, initialisation, races, barriers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "check/report.h"
#include "check/shadow.h"
#include "device/observer.h"
#include "device/worker.h"

namespace hipaudit {

constexpr uint32_t kMostWaves = 32;
constexpr uint32_t kMostThreads = 1024;

// Up to which time of each wave a thread knows that everything has happened, per address space.
struct Horizon {
  uint16_t local[kMostWaves] = {};
  uint16_t global[kMostWaves] = {};
};

// What one thread can make known through an atomic: its own accesses up to a fence, and what it
// knew of its block then.
struct Release {
  uint32_t instance = 0;
  uint16_t thread = 0;
  uint16_t time = 0;
  Horizon known;
};

// An atomic that was read, and how far the reading and its fence go.
struct Acquired {
  uintptr_t address;
  Reach reach;
};

// Per thread, for synchronisation through atomics.
struct ThreadSync {
  // By Reach: the latest fence of at least that reach; atomic stores after it release.
  const Release* fenced[4] = {};
  Reach fenced_since_barrier = Reach::none;
  std::vector<Acquired> observed;     // what they release is known once a fence follows
  std::vector<Acquired> acquired;     // what they release is known
  uint16_t horizon[kMostWaves] = {};  // through barriers that order nothing, between fences that do
};

struct UnwrittenRead {
  const Cell* cell;
  bool shared;
  Observation seen;
};

struct BlockCheck {
  std::vector<UnwrittenRead> unwritten;  // since the last barrier
  uint32_t instance = 0;
  std::vector<uint32_t> older;  // earlier instances of the same block, after 2^16 synchronisations
  uint16_t time[kMostWaves] = {};
  uint16_t met[kMostWaves] = {};    // the time at which the wave's lanes were last ordered
  Horizon horizon;                  // through barriers
  uint16_t bare[kMostWaves] = {};   // through barriers that order nothing
  std::vector<Acquired> acquired;   // by threads that a barrier came after
  std::vector<Acquired> observed;   // read by such threads without a fence
  std::vector<const Cell*> raced;   // words that a race was reported for, since the last barrier
  Reach all_fenced = Reach::none;   // every thread had such a fence before the last barrier
  std::vector<ThreadSync> threads;  // empty until the block uses fences or atomics
  std::vector<State> shared;        // while the block is set aside
};

// A write that races with another: an error unless both wrote the same, which shows after the
// store.
struct PendingWrite {
  bool active = false;
  Observation seen;
  uintptr_t address = 0;
  uint32_t size = 0;
  unsigned char before[16] = {};
};

struct WorkerCheck {
  State* states = nullptr;  // of shared memory
  Cell* cells = nullptr;
  uint64_t accesses = 0;
  PendingWrite pending;
  uintptr_t noted_atomic = 0;  // announced by the headers with its scope
  uintptr_t polled_address = 0;
  const Fiber* polling_fiber = nullptr;
  uint32_t polls = 0;  // reads of that address by that fiber, with nothing between
  const char* index_site =
      nullptr;  // an array index out of its type's bounds: the next access tells where
  std::string index_message;
};

class Checker final : public Observer {
 public:
  void launch_begins(Launch& launch) override;
  void launch_ends(Launch& launch) override;
  void block_begins(Worker& worker, Block& block) override;
  void block_set_aside(Worker& worker, Block& block) override;
  void block_resumed(Worker& worker, Block& block) override;
  void block_ends(Worker& worker, Block& block) override;
  void barrier_completes(Worker& worker, Block& block, int kind) override;
  void grid_barrier_completes(Launch& launch) override;
  void block_passes_grid(Worker& worker, Block& block) override;
  void wave_meets(Worker& worker, Block& block, uint32_t wave, uint64_t lanes,
                  bool ordered) override;
  uint64_t wave_misused(Worker& worker, Block& block, const WaveMisuse& misuse) override;
  void thread_ends(Worker& worker, Block& block, Fiber& fiber) override;
  void memory_freed(Worker& worker, uintptr_t address, uintptr_t pc) override;
  void fence(Worker& worker, int order, int scope) override;
};

Checker& checker();
WorkerCheck& check_of(Worker& worker);
inline BlockCheck& check_of(Block& block) { return *static_cast<BlockCheck*>(block.check); }

// Instances of the running launch begin here; smaller ones belong to launches before it.
extern uint32_t first_instance;

// Decides whether the access that `record` tells of happened before the running thread's present.
struct Present {
  Worker* worker;
  Block* block;
  BlockCheck* check;
  uint32_t thread;
  uint32_t wave;
  bool shared;  // the address space
};
bool happened_before(const Record& record, const Present& now);
// The block that ran as this instance in the running launch.
uint32_t block_of(uint32_t instance);

// Maps the shadow and follows the memory from now on; again does nothing. False: it cannot be had.
bool start_checking();
// Buffers with smaller numbers were there before: what they hold is not known, and taken as
// defined.
extern uint64_t first_followed;
// Drops what the launch's atomics made known.
void forget_atomics();
// The wave's clock goes on; its other lanes learn nothing by that.
void advance_time(Block& block, BlockCheck& check, uint32_t wave);
// True when a release that was acquired through one of the atomics covers the access, which was
// made by a thread of `wave` and is that far away.
bool covered(const std::vector<Acquired>& acquired, const Record& record, uint32_t wave,
             Reach distance, bool shared);
// Synchronisation through atomics, in atomics.cpp.
void atomics_at_barrier(Block& block);
void atomics_at_wave(Block& block, uint32_t first_thread, uint64_t lanes);
void atomic_access(Worker& worker, uintptr_t address, uint32_t size, int order, int scope, int kind,
                   uintptr_t pc);
// What lies at the address is aligned too little for what the instruction takes it for.
void report_misaligned(uintptr_t address, uint64_t size, uint64_t align, const std::string& what,
                       uintptr_t pc);
void flush_pending(WorkerCheck& check, const Launch& launch);
Side present_side(Worker& worker, uintptr_t pc);

}  // namespace hipaudit
