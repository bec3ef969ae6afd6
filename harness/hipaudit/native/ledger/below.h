// Calls into the library below the ledger. They are found by name, so that a function which an
// older ROCm lacks is missing there and nowhere else.
#pragma once

#include <atomic>

namespace hipaudit::ledger {

// The function of that name in the library below; nullptr when it has none.
void* find_below(const char* name);

// True when the library below is the emulated device, which checks and guards its memory itself.
bool below_is_emulated();

template <typename Function>
class Below;

template <typename Result, typename... Arguments>
class Below<Result(Arguments...)> {
 public:
  using Pointer = Result (*)(Arguments...);
  constexpr explicit Below(const char* name) : name_(name) {}

  // The caller knows that the function exists: the ledger offers only what the library below has.
  Result operator()(Arguments... arguments) { return get()(arguments...); }

  bool exists() { return get() != nullptr; }

 private:
  Pointer get() {
    Pointer found = function_.load(std::memory_order_relaxed);
    if (found != nullptr) return found;
    found = reinterpret_cast<Pointer>(find_below(name_));
    function_.store(found, std::memory_order_relaxed);
    return found;
  }

  const char* name_;
  std::atomic<Pointer> function_{nullptr};
};

}  // namespace hipaudit::ledger
