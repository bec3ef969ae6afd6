// What the ledger was told to do: from the environment when it is loaded, later by
// hipaudit_ledger_set.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace hipaudit::ledger {

enum class Mode : uint8_t { off, on, report };

// What can be made to fail: a fill counts among the copies, an event among the streams.
enum class Failing : uint8_t { allocations, launches, copies, streams };

struct Options {
  std::atomic<Mode> mode{Mode::on};
  std::atomic<bool> python{true};           // stacks of Python frames
  std::atomic<bool> native{false};          // native frames as well
  std::atomic<bool> native_fallback{true};  // native frames where there is no Python
  std::atomic<int> depth{32};               // frames kept of a stack
  std::atomic<bool> leaks{true};            // reported at the end of the process
  std::atomic<bool> guards{false};          // copies and pointers are checked before the device
  std::atomic<bool> host{false};            // the host's own loads and stores are watched
  std::atomic<uint64_t> red_zone{0};        // bytes on each side of an allocation
  std::atomic<uint64_t> quarantine{0};      // bytes of freed memory that are held back
  std::atomic<uint64_t> budget{0};          // bytes that may be live; 0: no limit
  std::atomic<Failing> failing{Failing::allocations};  // what `fail_at` counts
  std::atomic<uint64_t> fail_at{0};  // which of them from now on is to fail; 0: none
  std::atomic<uint64_t> asked{0};    // how many there were since that was set
};

extern Options options;

inline bool tracking() { return options.mode.load(std::memory_order_relaxed) != Mode::off; }

// True when the loader put the library before all others, as LD_PRELOAD asks.
bool preloaded();

// False when the key is unknown or the value is none of its values.
bool set_option(const char* key, const char* value);

// Takes the options from the environment; called once, when the library is loaded.
void read_options();

// The journal's path; empty: findings go to stderr.
std::string journal_path();

void lock_options();
void unlock_options();

}  // namespace hipaudit::ledger
