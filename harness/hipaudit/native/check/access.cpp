#include "access.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <memory>

#include "check/sites.h"
#include "check/step.h"
#include "check/stripes.h"
#include "device/module.h"

namespace hipaudit {
namespace {

constexpr uintptr_t kChunk = 4096;

[[noreturn]] void give_up(Worker& worker) {
  worker.launch->given_up.store(true);
  worker.launch->stop.store(true);
  abandon(&worker);
}

// Device memory whose state nobody has set yet: looks up what the address belongs to, once a chunk.
bool resolve_state(uintptr_t address, const Launch& launch) {
  Allocation allocation;
  if (find_live(address, 1, &allocation)) {
    uintptr_t begin = std::max(allocation.address, address / kChunk * kChunk);
    uintptr_t end = std::min(allocation.address + allocation.size, (address / kChunk + 1) * kChunk);
    bool defined = allocation.kind != MemoryKind::device || allocation.id < first_followed;
    for (uintptr_t word = begin & ~uintptr_t{3}; word < end; word += 4) {
      State state = 0;
      mark_states(&state, std::max(word, begin) - word,
                  std::min(word + 4, end) - std::max(word, begin),
                  static_cast<State>(kAddressable | (defined ? kInitialised : 0)), 0);
      // Another worker may be here too, and may have written the word already.
      State untouched = 0;
      __atomic_compare_exchange_n(state_of(word), &untouched, state, false, __ATOMIC_RELAXED,
                                  __ATOMIC_RELAXED);
    }
    return *state_of(address) != 0;
  }
  std::string name;
  Global global;
  if (find_global(address, &name, &global) && address < global.address + global.size) {
    mark(global.address, global.size, kAddressable | kInitialised, 0);
    return true;
  }
  if (launch.kernel->image->is_data(address)) {
    mark(address & ~uintptr_t{15}, 16, kAddressable | kInitialised, 0);
    return true;
  }
  return false;
}

void report_out_of_bounds(const Step& c) {
  Allocation allocation;
  Observation seen = observation(c, c.now.shared ? "out-of-bounds-shared" : "out-of-bounds-global");
  bool freed = !c.now.shared && find_allocation(c.address, &allocation) && !allocation.live;
  if (freed) seen.kind = "use-after-free";
  observe(*c.now.worker->launch, seen);
  // In shared memory nothing else is hit; elsewhere the access must not happen.
  if (!c.now.shared) give_up(*c.now.worker);
}

void note_uninitialised(const Step& c, size_t word) {
  const char* kind = c.now.shared ? "uninitialised-read-shared" : "uninitialised-read-global";
  note_unwritten(c.now, word, observation(c, kind));
}

void set_state(const Step& c, State& state, uint32_t bits) {
  if ((state & bits) == bits) return;
  if (c.several)
    __atomic_fetch_or(&state, static_cast<State>(bits), __ATOMIC_RELAXED);
  else
    state |= static_cast<State>(bits);
}

void check_word(const Step& c, uintptr_t address, size_t word, uint32_t mask) {
  State& state = c.shadow.states[word];
  uint32_t need = mask << 4;
  if ((state & need) != need &&
      (c.now.shared || state != 0 ||
       !resolve_state(address + std::countr_zero(mask), *c.now.worker->launch) ||
       (state & need) != need)) {
    report_out_of_bounds(c);
    return;
  }
  // A word of which part is defined is a structure with padding that is copied as a whole. Once is
  // enough: the word counts as defined from then on.
  bool uses = c.flags.kind != Access::write && c.flags.reads;
  if (uses && (state & mask) == 0 && !c.padded) note_uninitialised(c, word);
  set_state(c, state, mask);
  Conflict conflicts[kMostConflicts];
  size_t count = note_access(c, word, mask, conflicts);
  for (size_t i = 0; i < count; ++i) report_race(c, word, conflicts[i]);
}

void check_words(Step& c, uintptr_t offset) {
  uintptr_t end = offset + c.size;
  for (uintptr_t word = offset / 4; c.size > 4 && word * 4 < end; ++word)
    c.padded = c.padded || (c.shadow.states[word] & kInitialised) != 0;
  for (uintptr_t word = offset / 4; word * 4 < end; ++word) {
    uint32_t mask = 0xf;
    if (word * 4 < offset) mask &= 0xfu << (offset % 4);
    if (word * 4 + 4 > end) mask &= 0xfu >> (word * 4 + 4 - end);
    check_word(c, c.address - offset + word * 4, word, mask);
  }
}

// Neither device memory nor shared memory: the thread's own stack, the host's registered memory, or
// wild.
void check_elsewhere(Step& c) {
  Worker& worker = *c.now.worker;
  if (near_shared(c.address)) {
    c.now.shared = true;
    c.named = c.address - reinterpret_cast<uintptr_t>(shared_memory());
    observe(*worker.launch, observation(c, "out-of-bounds-shared"));
    if (c.flags.kind != Access::read) give_up(worker);
    return;
  }
  if (context().on_stack(c.address)) return;
  Allocation allocation;
  if (find_live(c.address, c.size, &allocation)) return;
  std::string name;
  Global global;
  if (find_global(c.address, &name, &global) || worker.launch->kernel->image->is_data(c.address))
    return;
  Observation seen = observation(c, "wild-access");
  seen.space = "";
  char text[64];
  snprintf(text, sizeof text, "%#llx is not memory of the device",
           static_cast<unsigned long long>(c.address));
  seen.message = c.address < 65536 ? "through a null pointer" : text;
  observe(*worker.launch, seen);
  give_up(worker);
}

// The type's bounds were left by an index: what kind of memory it is shows by the access it leads
// to.
void settle_index(Step& c, bool shared, bool global) {
  WorkerCheck& check = *c.worker;
  bool outside = !shared && near_shared(c.address);
  shared = shared || outside;
  Observation seen = observation(c, shared   ? "out-of-bounds-shared"
                                    : global ? "out-of-bounds-global"
                                             : "out-of-bounds-private");
  if (!shared && !global) seen.space = "private";
  seen.message = check.index_message;
  seen.here.pc = reinterpret_cast<uintptr_t>(check.index_site) - 1;
  seen.bytes = 0;
  observe(*c.now.worker->launch, seen);
  check.index_site = nullptr;
  clear_attention(kIndexLeft);
  if (!shared || (outside && c.flags.kind != Access::read)) give_up(*c.now.worker);
}

}  // namespace

void check_access(uintptr_t address, uint32_t size, AccessFlags flags, uintptr_t pc) {
  Worker* worker = current_worker();
  auto* check = static_cast<WorkerCheck*>(worker->check);
  const Launch& launch = *worker->launch;
  ++context().check.accesses;
  check->noted_atomic = 0;
  clear_attention(kAtomicNoted);
  flush_pending(*check, launch);
  Block* block = worker->block;
  uint32_t thread = worker->current->index.flat;
  Present now{
      worker, block, static_cast<BlockCheck*>(block->check), thread, thread >> launch.wave_shift,
      false};
  Step c{now, check, pc, running_sites().number(pc), flags, address, size, address, {}};
  uintptr_t offset = address - reinterpret_cast<uintptr_t>(shared_memory());
  bool shared = offset < kSharedSpan;
  bool global = address - kDeviceBase < kDeviceSpan;
  if (check->index_site != nullptr) {
    settle_index(c, shared, global);
    return;
  }
  if (shared) {
    c.now.shared = true;
    c.named = offset;
    c.shadow = check->shared;
    check_words(c, offset);
  } else if (global) {
    context().check.moved += size;
    c.shadow = device_shadow();
    c.several = launch.workers > 1;
    if (c.several) settle_stripes(context().check, address - kDeviceBase, size);
    check_words(c, address - kDeviceBase);
  } else {
    check_elsewhere(c);
  }
}

namespace {

std::map<const Image*, std::unique_ptr<Sites>>& all_sites() {
  static auto* map = new std::map<const Image*, std::unique_ptr<Sites>>;
  return *map;
}
Sites* running = nullptr;

}  // namespace

Sites& running_sites() { return *running; }

void enter_sites(const Image& image) {
  std::unique_ptr<Sites>& slot = all_sites()[&image];
  if (slot == nullptr || !slot->belongs_to(image)) slot = std::make_unique<Sites>(image);
  slot->renew();
  running = slot.get();
}

}  // namespace hipaudit
