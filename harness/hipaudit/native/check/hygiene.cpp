#include "hygiene.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "check/report.h"
#include "check/shadow.h"
#include "device/journal.h"
#include "device/json.h"
#include "device/settings.h"
#include "device/sync.h"

namespace hipaudit {
namespace {

struct Site {
  int kind = 0;
  uint64_t count = 0;
};

// Barriers that a block has passed, and how many of them ordered something.
struct Passed {
  uint32_t all = 0;
  uint32_t kept = 0;
};

struct Touch {
  uint32_t thread;
  bool writes;
  Passed after;
  uintptr_t pc;
};

Mutex mutex;
bool asked = false;  // for the records
std::atomic<bool> handed_over{false};
std::vector<uintptr_t> ignored;    // return addresses of barriers that order nothing
std::vector<uintptr_t> completed;  // those that order everything
std::vector<uint8_t> used;         // a state for each word of shared memory

std::map<uintptr_t, Site>& sites() {
  static auto* map = new std::map<uintptr_t, Site>;
  return *map;
}
std::map<uint32_t, Passed>& passed() {
  static auto* map = new std::map<uint32_t, Passed>;
  return *map;
}
// Of a block and a word: the first two threads that read it and the first two that wrote it since
// the last barrier that ordered something.
std::map<std::pair<uint32_t, uintptr_t>, std::vector<Touch>>& touches() {
  static auto* map = new std::map<std::pair<uint32_t, uintptr_t>, std::vector<Touch>>;
  return *map;
}

// The settings name barriers as the debug object counts addresses.
std::vector<uintptr_t> in_code(const Image& image, const std::vector<uint64_t>& places) {
  std::vector<uintptr_t> found;
  uint64_t first = image.debug_address(image.code_begin());
  for (uint64_t place : places) found.push_back(place - first + image.code_begin());
  return found;
}

bool contains(const std::vector<uintptr_t>& list, uintptr_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

uintptr_t barrier_site(const Block& block) {
  for (const Fiber& fiber : block.fibers)
    if (fiber.started && !fiber.finished) return reinterpret_cast<uintptr_t>(fiber.site) - 1;
  return 0;
}

void keep(std::vector<Touch>& known, const Touch& now) {
  int same = 0;
  for (const Touch& one : known) {
    if (one.writes != now.writes) continue;
    if (one.thread == now.thread) return;
    ++same;
  }
  if (same < 2) known.push_back(now);
}

JsonWriter record(const Launch& launch, const char* what) {
  JsonWriter json;
  json.open('{').key("record").value(what).key("kernel").value(launch.kernel->name);
  json.key("arch").value(settings().arch);
  return json;
}

void journal_shared(const Launch& launch, const std::string& name, uint32_t offset, uint32_t size) {
  uint32_t bytes = 0;
  uint32_t end = 0;
  for (uint32_t byte = 0; byte < size; ++byte) {
    if ((used[(offset + byte) / 4] >> ((offset + byte) % 4) & 1) == 0) continue;
    ++bytes;
    end = byte + 1;
  }
  JsonWriter json = record(launch, "shared");
  json.key("name").value(name).key("dynamic").value(offset == launch.kernel->dynamic_offset);
  json.key("size").value(size).key("used").value(bytes).key("end").value(end).close('}');
  journal_line(json.text());
}

}  // namespace

void begin_hygiene(Launch& launch) {
  Settings now = settings();
  Locked lock(mutex);
  asked = now.hygiene;
  ignored = in_code(*launch.kernel->image, now.ignored_barriers);
  completed = in_code(*launch.kernel->image, now.completed_barriers);
  handed_over = false;
  sites().clear();
  passed().clear();
  touches().clear();
  size_t bytes = launch.kernel->dynamic_offset + launch.shape.shared_bytes;
  used.assign(asked ? bytes / 4 + 1 : 0, 0);
}

int note_barrier(const Launch&, const Block& block, int kind) {
  if (!asked && ignored.empty() && completed.empty()) return kind;
  Locked lock(mutex);
  uintptr_t site = barrier_site(block);
  Site& known = sites()[site];
  known.kind = kind;
  ++known.count;
  Passed& here = passed()[block.index.flat];
  ++here.all;
  if (contains(ignored, site)) return -1;
  here.kept = here.all;
  return contains(completed, site) ? kind | kBarrierFull : kind;
}

void note_atomic(const Worker& worker, uintptr_t address, bool writes, uintptr_t pc) {
  if (ignored.empty()) return;
  Locked lock(mutex);
  uint32_t block = worker.block->index.flat;
  Passed here = passed()[block];
  std::vector<Touch>& known = touches()[{block, address / 4}];
  if (!known.empty() && known.front().after.kept != here.kept) known.clear();
  uint32_t thread = worker.current->index.flat;
  for (const Touch& before : known) {
    if (before.thread == thread || before.after.all == here.all) continue;
    if (!before.writes && !writes) continue;
    Observation seen;
    seen.kind = "atomics-in-order";
    seen.severity = "info";
    seen.message = "atomics that only the barrier keeps in their order";
    seen.here = {pc, block, thread};
    seen.other = {before.pc, block, before.thread};
    observe(*worker.launch, seen);
    break;
  }
  keep(known, {thread, writes, here, pc});
}

void note_handover() { handed_over = true; }

void note_shared_use(const Launch&, const uint8_t* states) {
  if (!asked) return;
  Locked lock(mutex);
  for (size_t word = 0; word < used.size(); ++word) used[word] |= states[word] & kInitialised;
}

void end_hygiene(Launch& launch) {
  if (!ignored.empty() && handed_over) journal_line(record(launch, "handover").close('}').text());
  if (!asked) return;
  Locked lock(mutex);
  const Kernel& kernel = *launch.kernel;
  for (const auto& [site, known] : sites()) {
    if (!kernel.image->is_code(site)) continue;
    JsonWriter json = record(launch, "barrier");
    json.key("object").value(kernel.image->debug_object());
    json.key("pc").value(kernel.image->debug_address(site));
    json.key("orders").value(static_cast<uint32_t>(known.kind & kBarrierFull));
    json.key("votes").value((known.kind & kBarrierVote) != 0);
    json.key("count").value(known.count).key("block").value(launch.block_dim.flat).close('}');
    journal_line(json.text());
  }
  for (const SharedVariable& variable : kernel.shared)
    journal_shared(launch, variable.name, variable.offset, variable.size);
  if (launch.shape.shared_bytes > 0)
    journal_shared(launch, "", kernel.dynamic_offset, launch.shape.shared_bytes);
}

}  // namespace hipaudit
