// What the device core tells whoever watches a launch. The core knows no checker: it calls these,
// and in plain builds nobody listens.
#pragma once

#include <cstdint>

namespace hipaudit {

struct Launch;
struct Worker;
struct Block;
struct Fiber;

// How far a barrier reaches: which memory it orders besides bringing threads together.
enum BarrierKind : int {
  kBarrierBare = 0,
  kBarrierLocal = 1,
  kBarrierGlobal = 2,
  kBarrierFull = 3,
  kBarrierVote = 4  // it carries a vote, whose result is a use of the barrier by itself
};

// What lanes do in a wave operation that HIP leaves undefined.
enum class WaveFault : uint8_t {
  empty_mask,      // the mask names nobody
  not_named,       // the caller's own bit is not set
  lanes_missing,   // a lane that the mask names does not come, with this mask, to this place
  inactive_source  // a shuffle reads from a lane that does not take part
};
struct WaveMisuse {
  WaveFault fault;
  uint64_t mask;        // as the caller named it
  const Fiber* caller;  // waits at the operation
  const Fiber* other;   // the missing lane or the source; nullptr: the block has no such thread
  uint32_t lane;        // the other's, in the wave
};

class Observer {
 public:
  virtual void launch_begins(Launch&) {}
  virtual void launch_ends(Launch&) {}
  virtual void block_begins(Worker&, Block&) {}
  virtual void block_set_aside(Worker&, Block&) {}
  virtual void block_resumed(Worker&, Block&) {}
  virtual void block_ends(Worker&, Block&) {}
  // Every live thread of the block has arrived; `kind` is what all of them asked for.
  virtual void barrier_completes(Worker&, Block&, int) {}
  virtual void grid_barrier_completes(Launch&) {}
  // A thread of the block goes on after a barrier of the grid.
  virtual void block_passes_grid(Worker&, Block&) {}
  // Lanes of one wave met; `ordered` when the operation orders their memory as well.
  virtual void wave_meets(Worker&, Block&, uint32_t, uint64_t, bool) {}
  // Returns what a shuffle from such a source yields; zero is what the hardware gives.
  virtual uint64_t wave_misused(Worker&, Block&, const WaveMisuse&) { return 0; }
  virtual void thread_ends(Worker&, Block&, Fiber&) {}
  // The kernel gives memory back; the place is within the call.
  virtual void memory_freed(Worker&, uintptr_t, uintptr_t) {}
  virtual void fence(Worker&, int, int) {}

 protected:
  ~Observer() = default;
};

}  // namespace hipaudit
