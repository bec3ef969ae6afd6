#pragma once

namespace hipaudit {

// A function that kernels may call, by the name that their objects leave undefined.
struct Symbol {
  const char* name;
  void* address;
};

}  // namespace hipaudit
