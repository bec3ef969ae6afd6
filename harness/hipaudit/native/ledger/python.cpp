#include "python.h"

#include <dlfcn.h>

#include <atomic>
#include <cstring>
#include <set>

namespace hipaudit::ledger {
namespace {

template <typename Function>
bool look_up(Function*& target, const char* name) {
  target = reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
  return target != nullptr;
}

// False when the process has no Python, or none that we can read.
bool look_up_all(Python& py) {
  look_up(py.instruction, "PyFrame_GetLasti");
  if (!look_up(py.current, "PyThreadState_GetUnchecked"))
    look_up(py.current, "_PyThreadState_UncheckedGet");
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
         look_up(py.clear_error, "PyErr_Clear") && look_up(py.import, "PyImport_ImportModule") &&
         look_up(py.item, "PyMapping_GetItemString") && look_up(py.at, "PySequence_GetItem") &&
         look_up(py.number, "PyLong_AsLong") && look_up(py.bytes, "PyBytes_AsString") &&
         look_up(py.length, "PyObject_Size");
}

// What the interpreter's instructions are called differs from version to version.
struct Opcodes {
  long pop = -1;
  std::set<int> calls;
};

Opcodes read_opcodes(const Python& py) {
  Opcodes read;
  Object* module = py.import("opcode");
  Object* numbers = module != nullptr ? py.attribute(module, "opmap") : nullptr;
  Object* names = module != nullptr ? py.attribute(module, "opname") : nullptr;
  Object* pop = numbers != nullptr ? py.item(numbers, "POP_TOP") : nullptr;
  if (pop != nullptr) read.pop = py.number(pop);
  for (int code = 0; names != nullptr && code < 256; ++code) {
    Object* name = py.at(names, code);
    const char* text = name != nullptr ? py.utf8(name) : nullptr;
    if (text != nullptr && strncmp(text, "CALL", 4) == 0) read.calls.insert(code);
    if (name != nullptr) py.drop(name);
  }
  for (Object* object : {module, numbers, names, pop})
    if (object != nullptr) py.drop(object);
  py.clear_error();
  return read;
}

// Held by the interpreter's lock.
const Opcodes& opcodes(const Python& py) {
  static auto* known = new Opcodes(read_opcodes(py));
  return *known;
}

bool drops(const Python& py, Object* frame) {
  Object* code = py.code(frame);
  Object* bytes = py.attribute(code, "co_code");
  py.drop(code);
  if (bytes == nullptr) return false;
  const auto* text = reinterpret_cast<const unsigned char*>(py.bytes(bytes));
  ssize_t size = py.length(bytes);
  ssize_t at = py.instruction(frame);
  bool found = false;
  if (at >= 0 && at + 2 < size && opcodes(py).calls.count(text[at]) != 0) {
    // The room that instructions keep for the interpreter's notes is filled with zeros.
    for (at += 2; at < size && text[at] == 0; at += 2) continue;
    found = at < size && text[at] == opcodes(py).pop;
  }
  py.drop(bytes);
  return found;
}

}  // namespace

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

bool may_ask(const Python* py) {
  if (py == nullptr) return false;
  // While the interpreter goes down, finalizers run in the thread that takes it down; any other
  // that asks for its lock would be ended.
  if (py->is_finalizing() != 0) {
    Object* running = py->current != nullptr ? py->current() : nullptr;
    return running != nullptr && running == py->this_thread_state();
  }
  if (py->is_initialized() == 0) return false;
  // A thread that never ran Python has no frames, and no business with the interpreter's lock.
  return py->this_thread_state() != nullptr;
}

bool drops_result(Thread& thread) {
  const Python* py = python(thread);
  // Before 3.11 a frame does not say where it is.
  if (!may_ask(py) || py->instruction == nullptr) return false;
  int state = py->ensure();
  Object* type = nullptr;
  Object* value = nullptr;
  Object* trace = nullptr;
  py->fetch_error(&type, &value, &trace);
  Object* frame = py->frame();
  bool dropped = frame != nullptr && drops(*py, frame);
  py->clear_error();
  py->restore_error(type, value, trace);
  py->release(state);
  return dropped;
}

}  // namespace hipaudit::ledger
