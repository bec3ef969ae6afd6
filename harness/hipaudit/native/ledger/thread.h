// What the ledger knows of a thread, and the call that it is in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hipaudit::ledger {

using Clock = std::vector<uint64_t>;

// A frame seen before, so that walking the same stack again reads no text.
struct CachedFrame {
  const void* code = nullptr;  // a Python code object, which is kept alive, or a native address
  uint32_t instruction = 0;
  uint32_t parent = 0;
  uint32_t node = 0;
};

struct Call;

struct Thread {
  static constexpr unsigned kCachedFrames = 512;

  uint32_t id = 0;                    // the kernel's number of the thread
  int device = -1;                    // the current one; -1: not asked yet
  Call* call = nullptr;               // the innermost tracked call
  const Clock* seen = nullptr;        // what a host function that runs in a stream comes after
  const char* failed_call = nullptr;  // the last allocation, where it failed
  uint32_t failed_stack = 0;
  int per_thread_stream = -1;  // the slot of hipStreamPerThread
  bool asked_for_python = false;
  const void* interrupted = nullptr;  // where a fault struck, while it is looked at
  std::string answer;                 // the last one to the device
  CachedFrame frames[kCachedFrames];
};

Thread& this_thread();

// nullptr: the ledger has not seen the calling thread.
Thread* known_thread();

// A tracked call, from its entry to its return. Calls that the library below makes of itself are
// its own business and are not tracked.
struct Call {
  explicit Call(const char* function);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool tracked = false;
  const char* name;
  Thread* thread = nullptr;
  uint32_t stack = 0;     // 0: unknown
  bool reported = false;  // a finding was made of it
};

// Lets the host functions that a stream runs be tracked, though a call is under way.
class HostFunctionScope {
 public:
  explicit HostFunctionScope(const Clock* seen);
  ~HostFunctionScope();
  HostFunctionScope(const HostFunctionScope&) = delete;
  HostFunctionScope& operator=(const HostFunctionScope&) = delete;

 private:
  Thread& thread_;
  Call* call_;
  const Clock* seen_;
};

}  // namespace hipaudit::ledger
