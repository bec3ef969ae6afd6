// Frames of CPython 3.10 and later, through its public functions. They are looked up in the
// process, so that the same library serves programs without Python.
#include <dlfcn.h>

#include <atomic>
#include <cstring>
#include <set>

#include "stacks.h"

namespace hipaudit::ledger {
namespace {

using Object = void;

// More code objects than this are not kept alive; their frames are read anew each time.
constexpr size_t kMostCodes = 65536;
constexpr int kMostFrames = 128;

struct Python {
  int (*is_initialized)() = nullptr;
  int (*is_finalizing)() = nullptr;
  Object* (*this_thread_state)() = nullptr;
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
};

template <typename Function>
bool look_up(Function*& target, const char* name) {
  target = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  return target != nullptr;
}

// False when the process has no Python, or none that we can read.
bool look_up_all(Python& py) {
  look_up(py.instruction, "PyFrame_GetLasti");
  if (!look_up(py.is_finalizing, "Py_IsFinalizing") &&
      !look_up(py.is_finalizing, "_Py_IsFinalizing"))
    return false;
  return look_up(py.this_thread_state, "PyGILState_GetThisThreadState") &&
         look_up(py.is_initialized, "Py_IsInitialized") &&
         look_up(py.ensure, "PyGILState_Ensure") && look_up(py.release, "PyGILState_Release") &&
         look_up(py.frame, "PyEval_GetFrame") && look_up(py.back, "PyFrame_GetBack") &&
         look_up(py.code, "PyFrame_GetCode") && look_up(py.line, "PyFrame_GetLineNumber") &&
         look_up(py.keep, "Py_IncRef") && look_up(py.drop, "Py_DecRef") &&
         look_up(py.attribute, "PyObject_GetAttrString") && look_up(py.utf8, "PyUnicode_AsUTF8") &&
         look_up(py.fetch_error, "PyErr_Fetch") && look_up(py.restore_error, "PyErr_Restore") &&
         look_up(py.clear_error, "PyErr_Clear");
}

// nullptr when the process has no Python. An embedding program may load it late: every thread asks
// again until it is there.
const Python* python(Thread& thread) {
  static std::atomic<const Python*> known{nullptr};
  const Python* found = known.load(std::memory_order_acquire);
  if (found != nullptr || thread.asked_for_python) return found;
  thread.asked_for_python = true;
  auto* made = new Python;
  if (!look_up_all(*made)) {
    delete made;
    return nullptr;
  }
  known.store(made, std::memory_order_release);
  return made;
}

std::string text_attribute(const Python& py, Object* object, const char* name) {
  Object* value = py.attribute(object, name);
  const char* text = value != nullptr ? py.utf8(value) : nullptr;
  std::string copy = text != nullptr ? text : "";
  if (value != nullptr) py.drop(value);
  py.clear_error();
  return copy;
}

// Held by the interpreter's lock.
std::set<Object*>& kept_codes() {
  static auto* codes = new std::set<Object*>;
  return *codes;
}

// Keeps a code object alive, so that its address stands for it; false when there are too many.
bool keep_code(const Python& py, Object* code) {
  std::set<Object*>& codes = kept_codes();
  if (codes.count(code) != 0) return true;
  if (codes.size() >= kMostCodes) return false;
  codes.insert(code);
  py.keep(code);
  return true;
}

bool read_frame(const Python& py, Object* frame, Object* code, Frame* out) {
  Object* type = nullptr;
  Object* value = nullptr;
  Object* trace = nullptr;
  py.fetch_error(&type, &value, &trace);
  out->python = true;
  out->file = text_attribute(py, code, "co_filename");
  out->function = text_attribute(py, code, py.instruction != nullptr ? "co_qualname" : "co_name");
  int line = py.line(frame);
  out->line = line > 0 ? static_cast<uint64_t>(line) : 0;
  py.restore_error(type, value, trace);
  return keep_code(py, code);
}

struct Walked {
  Object* frame;
  Object* code;  // alive as long as the frame
};

int walk(const Python& py, Walked* walked, int depth) {
  int count = 0;
  Object* frame = py.frame();
  if (frame != nullptr) py.keep(frame);
  while (frame != nullptr && count < depth) {
    Object* code = py.code(frame);
    py.drop(code);
    walked[count++] = {frame, code};
    frame = py.back(frame);
  }
  if (frame != nullptr) py.drop(frame);
  return count;
}

}  // namespace

uint32_t capture_python(Thread& thread, uint32_t parent, int depth) {
  const Python* py = python(thread);
  if (py == nullptr || py->is_initialized() == 0 || py->is_finalizing() != 0) return parent;
  // A thread that never ran Python has no frames, and no business with the interpreter's lock.
  if (py->this_thread_state() == nullptr) return parent;
  int state = py->ensure();
  Walked walked[kMostFrames];
  int count = walk(*py, walked, depth < kMostFrames ? depth : kMostFrames);
  uint32_t node = parent;
  for (int i = count - 1; i >= 0; --i) {
    auto [frame, code] = walked[i];
    int at = py->instruction != nullptr ? py->instruction(frame) : py->line(frame);
    auto read = [&](Frame* out) { return read_frame(*py, frame, code, out); };
    node = node_of(thread, code, static_cast<uint32_t>(at), node, read);
  }
  for (int i = 0; i < count; ++i) py->drop(walked[i].frame);
  py->release(state);
  return node;
}

}  // namespace hipaudit::ledger
