// The checkers of a launch: bounds, lifetime, initialisation, races, barriers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "check/report.h"
#include "check/shadow.h"
#include "device/observer.h"
#include "device/worker.h"

namespace hipaudit {

constexpr uint32_t kMostWaves = 32;

// The last epoch of a block of which everything is past, per address space.
struct Past {
  uint32_t local = 0;
  uint32_t global = 0;
  uint32_t of(bool shared) const { return shared ? local : global; }
};

// What one thread can make known through an atomic: its own accesses up to a fence, and what it
// knew of its block then.
struct Release {
  uint32_t block = 0;
  uint32_t thread = 0;
  uint32_t epoch = 0;
  Past past;
};

// An atomic that was read, and how far the reading and its fence go.
struct Acquired {
  static constexpr uint64_t kOpen = ~uint64_t{0};

  uintptr_t address;
  Reach reach;
  // The number of the last release that the reading may have seen. It comes after this is noted:
  // open until the thread's next atomic, fence or barrier.
  uint64_t last = kOpen;
};

// Per thread, for synchronisation through atomics.
struct ThreadSync {
  // By Reach: the latest fence of at least that reach; atomic stores after it release.
  const Release* fenced[4] = {};
  Reach fenced_since_barrier = Reach::none;
  uint32_t hand_overs = 0;         // by atomic writes
  std::vector<Acquired> observed;  // what they release is known once a fence follows
  std::vector<Acquired> acquired;  // what they release is known
  uint32_t past = 0;               // through barriers that order nothing, between fences that do
  // The same within the wave: what the thread had released when its lanes met, and when they had
  // met before its latest acquire.
  uint32_t wave_released = 0;
  uint32_t wave_seen = 0;
};

// Reads of words that held nothing, by word.
using Unwritten = std::map<uintptr_t, Observation>;

struct BlockCheck {
  Unwritten unwritten;  // of shared memory, since the last barrier
  uint32_t index = 0;
  uint32_t floor = 0;  // first_epoch() when the block got its epochs
  // Epochs [first, end) are the block's; `epoch` is the one it is in.
  uint32_t first = 0;
  uint32_t end = 0;
  uint32_t epoch = 0;
  std::vector<std::pair<uint32_t, uint32_t>> older;  // earlier epochs of the same block
  Past past;                                         // through barriers
  uint32_t bare = 0;                                 // through barriers that order nothing
  uint32_t wave_past[kMostWaves] = {};               // within the wave
  uint32_t wave_bare[kMostWaves] = {};               // where its lanes met without an order
  std::vector<Acquired> acquired;                    // by threads that a barrier came after
  std::vector<Acquired> observed;                    // read by such threads without a fence
  bool anyone_acquired = false;                      // a thread or, through a barrier, the block
  uint32_t turns_lent = 0;                           // to takers in other blocks
  Reach all_fenced = Reach::none;   // every thread had such a fence before the last barrier
  std::vector<ThreadSync> threads;  // empty until the block uses fences or atomics
  std::vector<State> shared;        // while the block is set aside

  bool contains(const Record& record) const { return record.epoch() - first < end - first; }
};

// A write that races with others: an error unless they wrote the same, which shows after the store.
struct PendingWrite {
  std::vector<Observation> seen;  // by the other's place; empty: no write is pending
  uintptr_t address = 0;
  std::string before;
};

// Why the next access goes the long way.
enum Attention : unsigned { kPendingWrite = 1, kIndexLeft = 2, kAtomicNoted = 4 };

struct WorkerCheck {
  Shadow shared;
  uint32_t beginnings = 0;  // of epochs, when the shadow was last emptied
  PendingWrite pending;
  uintptr_t noted_atomic = 0;  // announced by the headers with its scope
  uintptr_t polled_address = 0;
  const Fiber* polling_fiber = nullptr;
  uint32_t polls = 0;  // reads of that address by that fiber, with nothing between
  uint32_t reads = 0;  // atomic and volatile ones by that fiber, of any address
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
// The wave of the record, within its block.
uint32_t wave_of(const Record& record, const Present& now);
// The block of the running launch whose epoch this is.
uint32_t block_of(uint32_t epoch);

// A read of a word that holds nothing; settled when a later access shows that it came too early,
// else reported when the interval is over (shared memory) or the launch (global).
void note_unwritten(const Present& now, uintptr_t word, const Observation& seen);
// A race for the word explains why it held nothing when it was read.
void explain_unwritten(const Present& now, uintptr_t word);

// Maps the shadow and follows the memory from now on; again does nothing. False: it cannot be had.
bool start_checking();
// Buffers with smaller numbers were there before: what they hold is not known, and taken as
// defined.
extern uint64_t first_followed;
// Drops what the launch's atomics made known.
void forget_atomics();
// True when a release that was acquired through one of the atomics covers the access, which is that
// far away.
bool covered(const std::vector<Acquired>& acquired, const Record& record, Reach distance,
             bool shared);
// True when the thread, or one that a barrier came after, has read the atomic at this address.
bool has_seen(const Present& now, uintptr_t address, Reach distance);
// Synchronisation through atomics, in atomics.cpp.
void atomics_at_barrier(Block& block);
void atomics_at_wave(Block& block, uint32_t first_thread, uint64_t lanes);
void fences_at_wave(Block& block, uint32_t first_thread, uint64_t lanes);
void atomic_access(Worker& worker, uintptr_t address, uint32_t size, int order, int scope, int kind,
                   uintptr_t pc);
// What lies at the address is aligned too little for what the instruction takes it for.
void report_misaligned(uintptr_t address, uint64_t size, uint64_t align, const std::string& what,
                       uintptr_t pc);
void flush_pending(WorkerCheck& check, const Launch& launch);
Side present_side(Worker& worker, uintptr_t pc);
// Tells the running worker's context what the block's checker knows.
void publish(const Worker& worker, const BlockCheck& check);
inline void set_attention(Attention reason) { context().check.attention |= reason; }
inline void clear_attention(Attention reason) { context().check.attention &= ~reason; }

}  // namespace hipaudit
