// CPython's public functions, as far as the process has them.
#pragma once

#include <sys/types.h>

#include "thread.h"

namespace hipaudit::ledger {

using Object = void;

struct Python {
  int (*is_initialized)() = nullptr;
  int (*is_finalizing)() = nullptr;
  Object* (*this_thread_state)() = nullptr;
  Object* (*current)() = nullptr;  // the thread state that runs Python now
  int (*ensure)() = nullptr;
  void (*release)(int) = nullptr;
  Object* (*frame)() = nullptr;
  Object* (*back)(Object*) = nullptr;
  Object* (*code)(Object*) = nullptr;
  int (*line)(Object*) = nullptr;
  int (*instruction)(Object*) = nullptr;  // from 3.11 on
  void (*keep)(Object*) = nullptr;
  void (*drop)(Object*) = nullptr;
  Object* (*attribute)(Object*, const char*) = nullptr;
  const char* (*utf8)(Object*) = nullptr;
  void (*fetch_error)(Object**, Object**, Object**) = nullptr;
  void (*restore_error)(Object*, Object*, Object*) = nullptr;
  void (*clear_error)() = nullptr;
  Object* (*import)(const char*) = nullptr;
  Object* (*item)(Object*, const char*) = nullptr;
  Object* (*at)(Object*, ssize_t) = nullptr;
  long (*number)(Object*) = nullptr;
  const char* (*bytes)(Object*) = nullptr;
  ssize_t (*length)(Object*) = nullptr;
};

// nullptr when the process has no Python. An embedding program may load it late: every thread asks
// again until it is there.
const Python* python(Thread& thread);

// True when the thread may ask the interpreter now.
bool may_ask(const Python* py);

// True when the innermost Python frame drops what the call that it is in returns.
bool drops_result(Thread& thread);

}  // namespace hipaudit::ledger
