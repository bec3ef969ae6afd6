// Frames of CPython 3.10 and later, through its public functions. They are looked up in the
// process, so that the same library serves programs without Python.
#include <set>

#include "python.h"
#include "stacks.h"

namespace hipaudit::ledger {
namespace {

// More code objects than this are not kept alive; their frames are read anew each time.
constexpr size_t kMostCodes = 65536;
constexpr int kMostFrames = 128;

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
  if (!may_ask(py)) return parent;
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
