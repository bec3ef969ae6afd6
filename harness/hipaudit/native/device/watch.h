// Faults that the ledger provokes on purpose, to see what the host does with memory.
#pragma once

#include <cstdint>

namespace hipaudit {

struct HostFault {
  uintptr_t address;
  uintptr_t pc;
  uintptr_t stack;  // the stack pointer
  bool write;
  bool in_kernel;  // on a worker of the device
};

// True: the access may be made again. Called within a signal handler, the process's signals as they
// were.
using FaultHook = bool (*)(const HostFault* fault);

bool ask_about_fault(const HostFault& fault);

// Puts the device's handler in place, unless it stood there before and another has been put before
// it since: false then.
bool faults_come_here_first();

}  // namespace hipaudit
