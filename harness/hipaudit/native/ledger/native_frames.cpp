// Frames of native code, by the C library's own unwinder.
#include <dlfcn.h>
#include <execinfo.h>

#include <algorithm>

#include "stacks.h"

namespace hipaudit::ledger {
namespace {

constexpr int kMostFrames = 160;
constexpr int kOwnAtMost = 16;
constexpr uint32_t kNative = UINT32_MAX;  // no Python instruction has this number

const void* own_base() {
  static const void* base = [] {
    Dl_info info;
    return dladdr(reinterpret_cast<void*>(&capture_native), &info) != 0 ? info.dli_fbase : nullptr;
  }();
  return base;
}

bool read_frame(const void* call, Frame* out) {
  out->python = false;
  Dl_info info;
  if (dladdr(call, &info) == 0) {
    out->line = reinterpret_cast<uintptr_t>(call);
    return true;
  }
  out->file = info.dli_fname;
  out->function = info.dli_sname != nullptr ? info.dli_sname : "";
  out->line = reinterpret_cast<uintptr_t>(call) - reinterpret_cast<uintptr_t>(info.dli_fbase);
  return true;
}

// How many of the innermost frames are the ledger's own, or lead from a fault to it.
int own_frames(const Thread& thread, void* const* addresses, int count) {
  int own = 0;
  if (thread.interrupted != nullptr)
    return static_cast<int>(std::find(addresses, addresses + count, thread.interrupted) -
                            addresses);
  Dl_info info;
  while (own < count && dladdr(addresses[own], &info) != 0 && info.dli_fbase == own_base()) ++own;
  return own;
}

}  // namespace

uint32_t capture_native(Thread& thread, uint32_t parent, int depth) {
  void* addresses[kMostFrames];
  int count =
      backtrace(addresses, depth + kOwnAtMost < kMostFrames ? depth + kOwnAtMost : kMostFrames);
  int first = own_frames(thread, addresses, count);
  if (count - first > depth) count = first + depth;
  uint32_t node = parent;
  for (int i = count - 1; i >= first; --i) {
    const auto* call = static_cast<const char*>(addresses[i]);
    if (call != thread.interrupted) --call;  // a return address
    auto read = [call](Frame* out) { return read_frame(call, out); };
    node = node_of(thread, call, kNative, node, read);
  }
  return node;
}

}  // namespace hipaudit::ledger
