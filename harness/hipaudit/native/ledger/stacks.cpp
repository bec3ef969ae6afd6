#include "stacks.h"

#include <map>

#include "../device/sync.h"
#include "options.h"
#include "table.h"

namespace hipaudit::ledger {
namespace {

// More nodes than this are cut off at their caller, so that generated code cannot use up memory.
constexpr size_t kMostNodes = size_t{4} << 20;

struct Node {
  uint32_t parent;
  uint32_t frame;
};

struct Store {
  Mutex mutex;
  std::vector<Frame> frames;
  std::map<std::string, uint32_t> numbers;
  std::vector<Node> nodes{{0, 0}};  // node 0 is the empty stack
  Table table;
};

Store* const store = new Store;

// With the lock held.
uint32_t frame_number(const Frame& frame) {
  std::string key = frame.file + '\n' + frame.function + '\n' + std::to_string(frame.line);
  auto [entry, made] = store->numbers.try_emplace(key, store->frames.size());
  if (made) store->frames.push_back(frame);
  return entry->second;
}

}  // namespace

uint32_t intern(uint32_t parent, const Frame& frame) {
  Locked lock(store->mutex);
  uint32_t number = frame_number(frame);
  uint32_t hash = mix(uint64_t{parent} << 32 | number);
  auto same = [parent, number](uint32_t at) {
    const Node& node = store->nodes[at];
    return node.parent == parent && node.frame == number;
  };
  uint32_t found = store->table.find(hash, same);
  if (found != Table::missing) return found;
  if (store->nodes.size() >= kMostNodes) return parent;
  auto made = static_cast<uint32_t>(store->nodes.size());
  store->nodes.push_back({parent, number});
  store->table.insert(hash, made);
  return made;
}

uint32_t capture_stack(Thread& thread) {
  int depth = options.depth.load(std::memory_order_relaxed);
  uint32_t outer = 0;
  if (options.native.load(std::memory_order_relaxed)) outer = capture_native(thread, 0, depth);
  if (!options.python.load(std::memory_order_relaxed)) return outer;
  uint32_t stack = capture_python(thread, outer, depth);
  if (stack == 0 && options.native_fallback.load(std::memory_order_relaxed))
    return capture_native(thread, 0, depth);
  return stack;
}

std::vector<Frame> frames_of(uint32_t stack) {
  Locked lock(store->mutex);
  std::vector<Frame> frames;
  for (uint32_t at = stack; at != 0; at = store->nodes[at].parent)
    frames.push_back(store->frames[store->nodes[at].frame]);
  return frames;
}

void put_stack(JsonWriter& json, uint32_t stack) {
  json.open('[');
  for (const Frame& frame : frames_of(stack)) {
    json.open('{').key(frame.python ? "file" : "object").value(frame.file);
    json.key("function").value(frame.function);
    json.key(frame.python ? "line" : "offset").value(frame.line).close('}');
  }
  json.close(']');
}

bool passes_through(uint32_t stack, const std::string& file_suffix, int line) {
  for (const Frame& frame : frames_of(stack)) {
    if (frame.file.size() < file_suffix.size()) continue;
    if (frame.file.compare(frame.file.size() - file_suffix.size(), std::string::npos,
                           file_suffix) != 0)
      continue;
    if (line == 0 || frame.line == static_cast<uint64_t>(line)) return true;
  }
  return false;
}

void lock_stacks() { store->mutex.lock(); }
void unlock_stacks() { store->mutex.unlock(); }

}  // namespace hipaudit::ledger
