// What threads learn of each other through atomics and fences.
//
// A release is an atomic write that a fence came before (or that releases by itself); an acquire is
// an atomic read of it that a fence follows (or that acquires by itself). Then everything that the
// releasing thread knew at its fence is past for the acquiring thread, provided that the scopes of
// all four reach from the one to the other; a barrier hands it on to the block.
#include <algorithm>
#include <atomic>
#include <bit>

#include "check/access.h"
#include "check/epochs.h"
#include "check/hygiene.h"
#include "device/sync.h"

namespace hipaudit {
namespace {

// What was released through one atomic, by thread and reach, none further than the atomic goes; in
// order, each with its number among all releases of the launch.
struct Handed {
  uint64_t number;
  const Release* release;
};
using Published = std::map<uint64_t, std::vector<Handed>>;

uint64_t key_of(uint32_t block, uint32_t thread, Reach reach) {
  return uint64_t{block} << 16 | uint64_t{thread} << 2 | static_cast<uint64_t>(reach);
}
Reach reach_of_key(uint64_t key) { return static_cast<Reach>(key & 3); }

Mutex mutex;
std::atomic<uint64_t> releases_so_far{0};

// By the atomic's address; they live until the launch ends.
std::map<uintptr_t, Published>& published() {
  static auto* map = new std::map<uintptr_t, Published>;
  return *map;
}

std::vector<const Release*>& arena() {
  static auto* all = new std::vector<const Release*>;
  return *all;
}

const Release* keep(Release* release) {
  Locked lock(mutex);
  arena().push_back(release);
  return release;
}

ThreadSync& sync_of(Block& block, uint32_t thread) {
  BlockCheck& check = check_of(block);
  if (check.threads.empty()) check.threads.resize(static_cast<size_t>(block.size));
  return check.threads[thread];
}

// What the thread can release now. Its own later accesses have later epochs.
const Release* snapshot(Worker& worker) {
  BlockCheck& check = check_of(*worker.block);
  auto* release = new Release;
  release->block = check.index;
  release->thread = worker.current->index.flat;
  release->epoch = check.epoch;
  release->past = check.past;
  advance_epoch(check);
  publish(worker, check);
  return keep(release);
}

// When all threads had a fence before the last barrier, one thread's atomic releases for all.
const Release* with_block(const Release* own, Block& block, Reach reach) {
  const BlockCheck& check = check_of(block);
  if (check.all_fenced < reach || own->block != check.index) return own;
  if (own->past.local >= check.bare && own->past.global >= check.bare) return own;
  auto* release = new Release(*own);
  release->past.local = std::max(own->past.local, check.bare);
  release->past.global = std::max(own->past.global, check.bare);
  return keep(release);
}

void add(Published& to, Handed one, Reach reach) {
  std::vector<Handed>& all = to[key_of(one.release->block, one.release->thread, reach)];
  const Release* latest = all.empty() ? nullptr : all.back().release;
  if (latest == nullptr || (latest != one.release && latest->epoch <= one.release->epoch))
    all.push_back(one);
}

// The latest of a thread's releases that a reading may have seen; nullptr: none.
const Release* seen_of(const std::vector<Handed>& all, const Acquired& reading) {
  auto later = [](uint64_t last, const Handed& one) { return last < one.number; };
  auto after = std::upper_bound(all.begin(), all.end(), reading.last, later);
  return after == all.begin() ? nullptr : std::prev(after)->release;
}

void add(std::vector<Acquired>& to, Acquired one) {
  for (Acquired& known : to) {
    if (known.address != one.address) continue;
    known.reach = std::max(known.reach, one.reach);
    known.last = std::max(known.last, one.last);
    return;
  }
  to.push_back(one);
}

// The thread's readings are over.
void close_readings(ThreadSync& sync) {
  uint64_t last = releases_so_far.load();
  for (Acquired& one : sync.observed) one.last = std::min(one.last, last);
  for (Acquired& one : sync.acquired) one.last = std::min(one.last, last);
}

// What was observed becomes known to the thread. Only which atomics were read is kept: their
// releases are looked up when a conflict shows, after the read itself, which this call comes
// before.
void learn(ThreadSync& sync, const BlockCheck& check, Reach reach) {
  for (const Acquired& one : sync.observed)
    add(sync.acquired, {one.address, std::min(one.reach, reach), one.last});
  for (const Acquired& one : check.observed)
    add(sync.acquired, {one.address, std::min(one.reach, reach), one.last});
  if (reach == Reach::device) sync.observed.clear();
}

bool acquires(int order) { return order == 1 || order == 2 || order >= 4; }
bool releases(int order) { return order >= 3; }

// What the thread learnt of others goes along with what it releases.
void pass_on(const std::vector<Acquired>& acquired, Reach reach, uintptr_t address,
             uint64_t number) {
  Published& to = published()[address];
  for (const Acquired& known : acquired) {
    if (known.address == address) continue;
    for (const auto& [key, all] : published()[known.address])
      if (const Release* release = seen_of(all, known); release != nullptr)
        add(to, {number, release}, std::min({reach_of_key(key), known.reach, reach}));
  }
}

// An atomic write hands out what it releases by itself, or what the latest fences let it.
void hand_out(Worker& worker, ThreadSync& sync, uintptr_t address, int order, Reach reach) {
  const Release* own[4] = {};
  Reach furthest = Reach::none;
  for (size_t within = 1; within <= static_cast<size_t>(reach); ++within) {
    if (!releases(order) && sync.fenced[within] == nullptr) continue;
    furthest = static_cast<Reach>(within);
    if (!releases(order))
      own[within] = sync.fenced[within] = with_block(sync.fenced[within], *worker.block, furthest);
  }
  if (furthest == Reach::none) return;
  ++sync.hand_overs;
  if (releases(order)) own[static_cast<size_t>(furthest)] = snapshot(worker);
  Locked lock(mutex);
  uint64_t number = releases_so_far.fetch_add(1) + 1;
  for (size_t within = 1; within < 4; ++within)
    if (own[within] != nullptr)
      add(published()[address], {number, own[within]}, static_cast<Reach>(within));
  pass_on(sync.acquired, furthest, address, number);
  pass_on(check_of(*worker.block).acquired, furthest, address, number);
}

// Whoever took what the thread handed over last may still use it when the next is ready: they get
// to run in between, so that a buffer which is filled again too early is seen in use. Other blocks
// take what goes through global memory.
void let_takers_run(Worker& worker, uintptr_t address, uintptr_t pc) {
  constexpr uint32_t kEnough = 64;
  constexpr uint32_t kEnoughTurns = 8;
  BlockCheck& check = check_of(*worker.block);
  uint32_t times = sync_of(*worker.block, worker.current->index.flat).hand_overs;
  if (times == 0 || times > kEnough) return;
  worker.current->site = reinterpret_cast<const char*>(pc + 1);
  if (address - reinterpret_cast<uintptr_t>(shared_memory()) < kSharedSpan)
    give_way(&worker, worker.current);
  else if (worker.launch->blocks > 1 && check.turns_lent++ < kEnoughTurns)
    lend_turn(&worker, worker.current);
}

}  // namespace

void forget_atomics() {
  Locked lock(mutex);
  published().clear();
  for (const Release* release : arena()) delete release;
  arena().clear();
}

bool covered(const std::vector<Acquired>& acquired, const Record& record, Reach distance,
             bool shared) {
  if (acquired.empty()) return false;
  uint32_t block = block_of(record.epoch());
  Locked lock(mutex);
  for (const Acquired& known : acquired) {
    if (known.reach < distance) continue;
    const Published& all = published()[known.address];
    auto one = all.lower_bound(key_of(block, 0, Reach::none));
    for (; one != all.end() && one->first >> 16 == block; ++one) {
      const Release* seen = seen_of(one->second, known);
      if (seen == nullptr || reach_of_key(one->first) < distance) continue;
      const Release& release = *seen;
      bool own = release.thread == record.thread() && record.epoch() <= release.epoch;
      if (!own && record.epoch() > release.past.of(shared)) continue;
      if (distance != Reach::device) note_handover();
      return true;
    }
  }
  return false;
}

bool has_seen(const Present& now, uintptr_t address, Reach distance) {
  const BlockCheck& check = *now.check;
  if (check.threads.empty()) return false;
  const ThreadSync& sync = check.threads[now.thread];
  auto among = [&](const std::vector<Acquired>& known) {
    for (const Acquired& one : known)
      if (one.address == address && one.reach >= distance) return true;
    return false;
  };
  return among(sync.observed) || among(sync.acquired) || among(check.observed) ||
         among(check.acquired);
}

// What each thread has acquired becomes known to all; and whether all of them can release.
void atomics_at_barrier(Block& block) {
  BlockCheck& check = check_of(block);
  check.all_fenced = Reach::device;
  for (const Fiber& fiber : block.fibers) {
    ThreadSync& sync = check.threads[fiber.index.flat];
    close_readings(sync);
    for (const Acquired& one : sync.acquired) add(check.acquired, one);
    for (const Acquired& one : sync.observed) add(check.observed, one);
    sync.acquired.clear();
    sync.observed.clear();
    if (!fiber.finished) check.all_fenced = std::min(check.all_fenced, sync.fenced_since_barrier);
    sync.fenced_since_barrier = Reach::none;
  }
}

void atomics_at_wave(Block& block, uint32_t first_thread, uint64_t lanes) {
  std::vector<ThreadSync>& threads = check_of(block).threads;
  std::vector<Acquired> together;
  for (uint32_t lane = 0; lane < 64; ++lane)
    if ((lanes >> lane & 1) != 0) {
      close_readings(threads[first_thread + lane]);
      for (const Acquired& one : threads[first_thread + lane].acquired) add(together, one);
    }
  if (together.empty()) return;
  for (uint32_t lane = 0; lane < 64; ++lane)
    if ((lanes >> lane & 1) != 0) threads[first_thread + lane].acquired = together;
}

// A rendezvous between two fences of its lanes orders what lies beyond them.
void fences_at_wave(Block& block, uint32_t first_thread, uint64_t lanes) {
  std::vector<ThreadSync>& threads = check_of(block).threads;
  constexpr auto kWave = static_cast<size_t>(Reach::wave);
  for (uint64_t rest = lanes; rest != 0; rest &= rest - 1) {
    ThreadSync& sync = threads[first_thread + static_cast<uint32_t>(std::countr_zero(rest))];
    if (const Release* release = sync.fenced[kWave];
        release != nullptr && release->block == check_of(block).index)
      sync.wave_released = release->epoch;
  }
}

void Checker::fence(Worker& worker, int order, int scope) {
  flush_pending(check_of(worker), *worker.launch);
  BlockCheck& check = check_of(*worker.block);
  ThreadSync& sync = sync_of(*worker.block, worker.current->index.flat);
  Reach reach = reach_of(scope);
  close_readings(sync);
  if (acquires(order)) {
    if (check.all_fenced >= Reach::block && reach >= Reach::block) sync.past = check.bare;
    if (reach >= Reach::wave)
      sync.wave_seen = check.wave_bare[worker.current->index.flat >> worker.launch->wave_shift];
    learn(sync, check, reach);
    check.anyone_acquired = check.anyone_acquired || !sync.acquired.empty();
    publish(worker, check);
  }
  if (!releases(order) || reach == Reach::none) return;
  sync.fenced_since_barrier = std::max(sync.fenced_since_barrier, reach);
  const Release* release = snapshot(worker);
  for (size_t within = 1; within <= static_cast<size_t>(reach); ++within)
    sync.fenced[within] = release;
}

void atomic_access(Worker& worker, uintptr_t address, uint32_t size, int order, int scope, int kind,
                   uintptr_t pc) {
  Reach reach = reach_of(scope);
  if (kind != 0) let_takers_run(worker, address, pc);
  // The hardware splits such an atomic, or faults.
  if (address % size != 0) report_misaligned(address, size, size, "an atomic", pc);
  check_access(address, size, {Access::atomic, reach, kind != 1, kind != 0}, pc);
  note_atomic(worker, address, kind != 0, pc);
  ThreadSync& sync = sync_of(*worker.block, worker.current->index.flat);
  close_readings(sync);
  if (kind != 1) {
    add(acquires(order) ? sync.acquired : sync.observed, {address, reach});
    if (acquires(order) && !check_of(*worker.block).anyone_acquired) {
      check_of(*worker.block).anyone_acquired = true;
      publish(worker, check_of(*worker.block));
    }
  }
  if (kind != 0) hand_out(worker, sync, address, order, reach);
}

}  // namespace hipaudit
