#include "below.h"

#include <dlfcn.h>

#include <cstring>

#include "ledger_config.h"

namespace hipaudit::ledger {
namespace {

// The library was loaded before this one, which needs it; its name finds it.
void* handle() {
  static std::atomic<void*> opened{nullptr};
  void* found = opened.load(std::memory_order_relaxed);
  if (found != nullptr) return found;
  found = dlopen(kBelow, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
  if (found == nullptr) found = dlopen(kBelow, RTLD_LAZY | RTLD_LOCAL);
  opened.store(found, std::memory_order_relaxed);
  return found;
}

}  // namespace

void* find_below(const char* name) {
  void* library = handle();
  return library != nullptr ? dlsym(library, name) : nullptr;
}

bool below_is_emulated() { return strcmp(kBelow, "libhipaudit_emulated.so") == 0; }

}  // namespace hipaudit::ledger
