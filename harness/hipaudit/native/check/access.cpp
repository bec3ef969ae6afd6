#include "access.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <memory>

#include "check/sites.h"
#include "device/module.h"

namespace hipaudit {
namespace {

constexpr uintptr_t kChunk = 4096;

struct Step {
  Present now;
  WorkerCheck* worker;
  uintptr_t pc;
  uint16_t site;
  AccessFlags flags;
  uintptr_t address;  // of the whole access
  uint32_t size;
  uintptr_t named;      // as findings name it: an offset in shared memory
  bool padded = false;  // a wide read that finds some of its words defined
};

const char* access_name(Access kind) {
  return kind == Access::read ? "read" : kind == Access::write ? "write" : "atomic";
}

Observation observation(const Step& c, const char* kind) {
  Observation seen;
  seen.kind = kind;
  seen.space = c.now.shared ? "shared" : "global";
  seen.access = access_name(c.flags.kind);
  seen.bytes = c.size;
  seen.address = c.named;
  seen.here = present_side(*c.now.worker, c.pc);
  return seen;
}

[[noreturn]] void give_up(Worker& worker) {
  worker.launch->given_up.store(true);
  worker.launch->stop.store(true);
  abandon(&worker);
}

// Device memory whose state nobody has set yet: looks up what the address belongs to, once a chunk.
bool resolve_state(uintptr_t address, const Launch& launch) {
  Allocation allocation;
  if (find_allocation(address, &allocation) && allocation.live &&
      address < allocation.address + allocation.size) {
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

void note_uninitialised(const Step& c, const Cell& cell) {
  const char* kind = c.now.shared ? "uninitialised-read-shared" : "uninitialised-read-global";
  c.now.check->unwritten.push_back({&cell, c.now.shared, observation(c, kind)});
}

// How far atomics must go to exclude the running thread and the one of the record.
Reach distance(const Step& c, const Record& record) {
  if (record.instance != c.now.check->instance) return Reach::device;
  return record.thread >> c.now.worker->launch->wave_shift == c.now.wave ? Reach::wave
                                                                         : Reach::block;
}

// An atomic of one thread's scope leaves the record of a plain access: its instruction tells.
bool both_atomic(const Step& c, Access other, uintptr_t other_pc) {
  if (c.flags.kind != Access::atomic) return false;
  return other == Access::atomic || (c.flags.reach == Reach::none && other_pc == c.pc);
}

std::string scope_message(const Step& c, const Record& record) {
  static constexpr const char* kScopes[] = {"one thread's", "wavefront", "workgroup", "agent"};
  static constexpr const char* kApart[] = {"", "two lanes", "two waves", "two blocks"};
  auto narrower = std::min<uint64_t>(record.reach, static_cast<uint64_t>(c.flags.reach));
  return std::string("atomics of ") + kScopes[narrower] + " scope from " +
         kApart[static_cast<size_t>(distance(c, record))];
}

// The other side of a race, and what kind of race it is.
void report_race(const Step& c, const Cell& cell, const Record& record, uint16_t other_site,
                 uint32_t other_thread, Access other) {
  const Launch& launch = *c.now.worker->launch;
  c.now.check->raced.push_back(&cell);
  Observation seen = observation(c, c.now.shared ? "race-shared" : "race-global");
  seen.other = {running_sites().place(other_site), block_of(record.instance), other_thread};
  seen.message = std::string("unordered with the ") + access_name(other) + " by another thread";
  uint32_t wave = other_thread >> launch.wave_shift;
  bool both_write = c.flags.kind != Access::read && other != Access::read;
  if (both_atomic(c, other, seen.other.pc)) {
    seen.kind = "race-atomic-scope";
    seen.message = scope_message(c, record);
  } else if (record.instance != c.now.check->instance) {
    seen.kind = "race-grid";
    seen.message =
        std::string("unordered with the ") + access_name(other) + " by a thread of another block";
  } else if (wave == c.now.wave) {
    bool one_instruction = seen.other.pc == c.pc;
    seen.kind = "race-wave";
    seen.message = "relies on the lanes of a wave running in lockstep";
    if (both_write && one_instruction) {
      seen.message = "lanes of one instruction write different values";
    } else if (launch.wave_size == 64 && (other_thread ^ c.now.thread) >= 32) {
      seen.kind = "wave-size-dependence";
      seen.message = "ordered only where waves have 64 lanes";
    } else {
      seen.severity = "warning";
    }
  } else if (record.time < c.now.check->bare[wave]) {
    seen.kind = "barrier-without-fence";
    seen.message = "the barrier between them does not order this memory";
  }
  if (!both_write || c.flags.kind == Access::atomic) {
    observe(launch, seen);
    return;
  }
  PendingWrite& pending = c.worker->pending;
  pending.active = true;
  pending.seen = seen;
  pending.address = c.address;
  pending.size = std::min<uint32_t>(c.size, sizeof pending.before);
  memcpy(pending.before, reinterpret_cast<const void*>(c.address), pending.size);
}

Access kind_of(const Record& record, bool write) {
  return is_atomic(record) ? Access::atomic : write ? Access::write : Access::read;
}

// Atomics race with each other only when the scope of one does not include the other.
bool excused(const Step& c, const Record& record) {
  if (c.flags.kind != Access::atomic || !is_atomic(record)) return false;
  Reach needed = distance(c, record);
  return c.flags.reach >= needed && static_cast<Reach>(record.reach) >= needed;
}

bool races(const Step& c, const Record& record, uint32_t mask) {
  return (record.mask & mask) != 0 && !happened_before(record, c.now) && !excused(c, record);
}

Record record_of(const Step& c, uint32_t mask) {
  Record record;
  record.instance = c.now.check->instance;
  record.time = c.now.check->time[c.now.wave];
  record.thread = c.now.thread;
  record.mask = mask;
  record.reach = static_cast<uint64_t>(c.flags.reach);
  return record;
}

void note_read(const Step& c, Cell& cell, uint32_t mask) {
  bool fresh = happened_before(cell.read, c.now) && cell.read.thread != c.now.thread;
  bool same_block = cell.read.instance == c.now.check->instance;
  if (fresh || !same_block || cell.read.instance == 0) {
    cell.read = record_of(c, mask);
    cell.read_site = c.site;
    cell.other_thread = kNoThread;
  } else if (cell.read.thread == c.now.thread) {
    uint32_t whole = cell.read.mask | mask;
    cell.read = record_of(c, whole);
    cell.read_site = c.site;
  } else {
    cell.read.mask |= mask;
    cell.other_thread = static_cast<uint16_t>(c.now.thread);
    cell.other_site = c.site;
  }
}

void note_write(const Step& c, Cell& cell, uint32_t mask) {
  if (races(c, cell.read, mask)) {
    report_race(c, cell, cell.read, cell.read_site, cell.read.thread, kind_of(cell.read, false));
  } else if (cell.other_thread != kNoThread && cell.read.instance == c.now.check->instance &&
             cell.other_thread != c.now.thread) {
    Record other = cell.read;
    other.thread = cell.other_thread;
    if (races(c, other, mask))
      report_race(c, cell, other, cell.other_site, cell.other_thread, kind_of(other, false));
  }
  // Bytes of the word that another thread wrote meanwhile stay its own. And a plain access weighs
  // more than an atomic one that comes on top of it: the next thread's atomic races with it as
  // well.
  const Record& last = cell.write;
  bool atomic = c.flags.kind == Access::atomic;
  bool here = last.instance == c.now.check->instance;
  bool unordered = !happened_before(last, c.now);
  const Horizon& barrier = c.now.check->horizon;
  uint16_t since = (c.now.shared ? barrier.local : barrier.global)[c.now.wave];
  bool own = here && last.thread == c.now.thread && last.time >= since;
  bool keep = (here && unordered && (last.mask & mask) == 0) ||
              (atomic && !is_atomic(last) && (unordered || own));
  if (!keep) {
    // What the same thread wrote to other bytes just before is as new.
    bool together = own && last.time == c.now.check->time[c.now.wave] && is_atomic(last) == atomic;
    cell.write = record_of(c, together ? mask | static_cast<uint32_t>(last.mask) : mask);
    cell.write_site = c.site;
  }
  if (atomic && !is_atomic(cell.read) && !happened_before(cell.read, c.now)) return;
  cell.read = Record{};
  cell.other_thread = kNoThread;
}

void check_word(const Step& c, uintptr_t word, uint32_t mask, State& state, Cell& cell) {
  uint32_t need = mask << 4;
  if ((state & need) != need &&
      (c.now.shared || state != 0 ||
       !resolve_state(word + std::countr_zero(mask), *c.now.worker->launch) ||
       (state & need) != need)) {
    report_out_of_bounds(c);
    return;
  }
  if (c.flags.kind != Access::write && c.flags.reads && (state & mask) != mask) {
    // A word of which part is defined is a structure with padding that is copied as a whole.
    if ((state & mask) == 0 && !c.padded) note_uninitialised(c, cell);
    state |= static_cast<State>(mask);  // once is enough
  }
  if (c.flags.kind != Access::read) state |= static_cast<State>(mask);
  if (races(c, cell.write, mask))
    report_race(c, cell, cell.write, cell.write_site, cell.write.thread, kind_of(cell.write, true));
  if (c.flags.kind == Access::read)
    note_read(c, cell, mask);
  else
    note_write(c, cell, mask);
}

void check_words(Step& c, uintptr_t offset, State* states, Cell* cells) {
  uintptr_t end = offset + c.size;
  for (uintptr_t word = offset / 4; c.size > 4 && word * 4 < end; ++word)
    c.padded = c.padded || (states[word] & kInitialised) != 0;
  for (uintptr_t word = offset / 4; word * 4 < end; ++word) {
    uint32_t mask = 0xf;
    if (word * 4 < offset) mask &= 0xfu << (offset % 4);
    if (word * 4 + 4 > end) mask &= 0xfu >> (word * 4 + 4 - end);
    check_word(c, c.address - offset + word * 4, mask, states[word], cells[word]);
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
  if (worker.stacks.contains(worker.current->stack, c.address)) {
    if (worker.stacks.guard_hit(c.address) < 0) return;
  }
  Allocation allocation;
  if (find_allocation(c.address, &allocation) && allocation.live &&
      c.address + c.size <= allocation.address + allocation.size)
    return;
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
  if (!shared || (outside && c.flags.kind != Access::read)) give_up(*c.now.worker);
}

}  // namespace

void check_access(uintptr_t address, uint32_t size, AccessFlags flags, uintptr_t pc) {
  Worker* worker = current_worker();
  auto* check = static_cast<WorkerCheck*>(worker->check);
  ++check->accesses;
  check->noted_atomic = 0;
  if (check->pending.active) flush_pending(*check, *worker->launch);
  Block* block = worker->block;
  uint32_t thread = worker->current->index.flat;
  Step c{{worker, block, static_cast<BlockCheck*>(block->check), thread,
          thread >> worker->launch->wave_shift, false},
         check,
         pc,
         running_sites().number(pc),
         flags,
         address,
         size,
         address};
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
    check_words(c, offset, check->states, check->cells);
  } else if (global) {
    check_words(c, address - kDeviceBase, reinterpret_cast<State*>(kStateBase),
                reinterpret_cast<Cell*>(kCellBase));
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
  running = slot.get();
}

}  // namespace hipaudit
