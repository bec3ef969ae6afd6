#include "worker.h"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace hipaudit {
namespace {

// A worker's memory, from low to high: fiber-visible context and shared memory, then the thread's
// own stack with the thread pointer at its top, kContextDisplacement above the context.
constexpr size_t kRegion = size_t{24} << 20;
constexpr size_t kThreadStack = size_t{4} << 20;
constexpr size_t kMostSetAside = 512;
// Of all workers. A stack and its guard are two mappings, of 65,530 that Linux gives a process.
constexpr int kMostStacks = 30000;

Mutex mutex;  // guards everything below
pthread_cond_t work_ready = PTHREAD_COND_INITIALIZER;
pthread_cond_t work_done = PTHREAD_COND_INITIALIZER;
std::vector<Worker*>* pool = nullptr;
Launch* pending = nullptr;
uint32_t wanted = 0;  // workers the pending launch may still take
uint32_t inside = 0;  // workers that run it
pid_t owner = 0;

void save_shared(Worker* worker, Block* block) {
  size_t bytes = worker->launch->kernel->shared_end + worker->launch->shape.shared_bytes;
  block->shared.assign(shared_memory(), shared_memory() + bytes);
  if (Observer* observer = worker->launch->observer) observer->block_set_aside(*worker, *block);
}

// Shared memory holds garbage when a block starts; all ones are NaN as floats and -1 as integers,
// which shows, where stale zeros would not.
void spoil_shared(Worker* worker) {
  const Kernel& kernel = *worker->launch->kernel;
  for (const SharedVariable& variable : kernel.shared)
    memset(shared_memory() + variable.offset, 0xff, variable.size);
  memset(shared_memory() + kernel.dynamic_offset, 0xff, worker->launch->shape.shared_bytes);
}

Block* fresh_block(Worker* worker, uint64_t position) {
  if (worker->pool.empty()) worker->pool.push_back(std::make_unique<Block>());
  Block* block = worker->pool.back().release();
  worker->pool.pop_back();
  block->begin(worker->launch, worker->launch->block_at(position));
  spoil_shared(worker);
  if (Observer* observer = worker->launch->observer) observer->block_begins(*worker, *block);
  return block;
}

// Puts a block that was set aside in the place of `last`, whose shared memory is still there.
Block* resume(Worker* worker, Block* block, Block* last) {
  if (block == last) return block;
  if (last != nullptr) save_shared(worker, last);
  memcpy(shared_memory(), block->shared.data(), block->shared.size());
  if (Observer* observer = worker->launch->observer) observer->block_resumed(*worker, *block);
  return block;
}

// The next block to run: one that lent its turn; else a new one as long as there are any; else the
// one that was set aside first. `last` is still in shared memory and is saved when another takes
// its place.
Block* next_block(Worker* worker, Block* last) {
  Launch* launch = worker->launch;
  Block* lender = std::exchange(worker->lender, nullptr);
  bool lends = last != nullptr && last == lender;
  if (last != nullptr && !lends) worker->set_aside.push_back(last);
  if (lender != nullptr && !lends) return resume(worker, lender, last);
  if (lends) worker->lender = last;
  bool others = lends || !worker->set_aside.empty();
  bool short_of_stacks = others && !worker->stacks.has(static_cast<int>(launch->block_dim.flat));
  bool full = short_of_stacks || worker->set_aside.size() >= kMostSetAside;
  if (short_of_stacks) launch->held_back.store(true, std::memory_order_relaxed);
  if (!full && launch->next_block.load(std::memory_order_relaxed) < launch->blocks) {
    uint64_t position = launch->next_block.fetch_add(1);
    if (position < launch->blocks) {
      if (last != nullptr) save_shared(worker, last);
      return fresh_block(worker, position);
    }
  }
  if (worker->set_aside.empty()) return std::exchange(worker->lender, nullptr);
  Block* block = worker->set_aside.front();
  worker->set_aside.pop_front();
  return resume(worker, block, last);
}

void retire(Worker* worker, Block* block) {
  if (Observer* observer = worker->launch->observer) observer->block_ends(*worker, *block);
  worker->pool.push_back(std::unique_ptr<Block>(block));
}

void enter_context(Worker* worker) {
  const Launch& launch = *worker->launch;
  Context& here = context();
  here.block_dim = launch.block_dim;
  here.grid_dim = launch.grid_dim;
  here.wave_size = launch.wave_size;
  here.dynamic_shared_bytes = launch.shape.shared_bytes;
  here.stack_bytes = worker->stacks.bytes();
}

// The processor's floating-point modes while kernels run: all exceptions masked, to nearest, with
// denormals-are-zero and flush-to-zero or without. Switching fibers leaves them alone.
void set_float_modes(bool flush) {
  constexpr unsigned kUsual = 0x1f80;
  constexpr unsigned kFlush = 0x8040;
  __builtin_ia32_ldmxcsr(flush ? kUsual | kFlush : kUsual);
}

// Runs blocks of the launch until none is left for this worker.
void run_blocks(Worker* worker, Launch* launch) {
  worker->launch = launch;
  set_float_modes(launch->adversary.flush);
  worker->stacks.require(launch->kernel->stack_bytes, kMostStacks / launch->workers);
  worker->stacks.reset();
  enter_context(worker);
  Block* block = next_block(worker, nullptr);
  uint64_t seen = worker->progress.load();
  uint32_t fruitless = 0;
  while (block != nullptr && !launch->stop.load(std::memory_order_relaxed)) {
    context().block = block->index;
    if (run_block(worker, block)) {
      launch->finished_blocks.fetch_add(1);
      retire(worker, block);
      block = next_block(worker, nullptr);
    } else {
      block = next_block(worker, block);
    }
    // When everything here waits for other workers, leave them the core.
    fruitless = worker->progress.load() == seen ? fruitless + 1 : 0;
    if (fruitless > 0) worker->fruitless.fetch_add(1);
    seen = worker->progress.load();
    if (launch->workers > 1 && fruitless > worker->set_aside.size() + 1) sched_yield();
  }
  if (block != nullptr && block->resume != nullptr)
    launch->note_timeout(reinterpret_cast<uintptr_t>(block->resume->site) - 1, block->resume->index,
                         block->index);
  if (block != nullptr) retire(worker, block);
  if (Block* lender = std::exchange(worker->lender, nullptr)) retire(worker, lender);
  for (Block* rest : worker->set_aside) retire(worker, rest);
  worker->set_aside.clear();
  worker->block = nullptr;
  worker->launch = nullptr;
  set_float_modes(false);
}

void* worker_main(void* argument) {
  auto* worker = static_cast<Worker*>(argument);
  Context* here = new (&context()) Context{};
  here->worker = worker;
  worker->context = here;
  prepare_worker_signals();
  mutex.lock();
  for (;;) {
    while (pending == nullptr || wanted == 0) pthread_cond_wait(&work_ready, mutex.native());
    Launch* launch = pending;
    --wanted;
    ++inside;
    mutex.unlock();
    worker->patience = Worker::kPatience;
    worker->generosity = Worker::kGenerosity;
    worker->running.store(true);
    run_blocks(worker, launch);
    worker->running.store(false);
    mutex.lock();
    --inside;
    // A launch whose blocks are all taken needs no more workers.
    wanted = 0;
    if (inside == 0) pthread_cond_broadcast(&work_done);
  }
  return nullptr;
}

bool start(Worker* worker) {
  void* region = mmap(nullptr, kRegion, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (region == MAP_FAILED) return false;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, static_cast<char*>(region) + kRegion - kThreadStack,
                        kThreadStack);
  int failed = pthread_create(&worker->thread, &attributes, worker_main, worker);
  pthread_attr_destroy(&attributes);
  if (failed != 0) munmap(region, kRegion);
  return failed == 0;
}

int core_count() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return CPU_COUNT(&set);
}

// Threads do not survive a fork: the child starts workers of its own when it first launches.
void ensure_workers(size_t count) {
  if (pool == nullptr || owner != getpid()) {
    pool = new std::vector<Worker*>;
    owner = getpid();
    pending = nullptr;
    wanted = inside = 0;
  }
  while (pool->size() < count) {
    auto* worker = new Worker;
    worker->number = static_cast<int>(pool->size());
    if (!start(worker)) break;
    pool->push_back(worker);
  }
}

double seconds_now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

uint64_t total(std::atomic<uint64_t> Worker::* counter) {
  uint64_t sum = 0;
  for (Worker* worker : *pool) sum += (worker->*counter).load(std::memory_order_relaxed);
  return sum;
}

// Processor time that the worker has used.
double seconds_run(const Worker& worker) {
  clockid_t clock;
  timespec used;
  if (pthread_getcpuclockid(worker.thread, &clock) != 0 || clock_gettime(clock, &used) != 0)
    return 0;
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

// How long a sum has stood still while workers ran: on a busy machine they may not have had a turn.
class Stillness {
 public:
  explicit Stillness(std::atomic<uint64_t> Worker::* counter)
      : counter_(counter), since_(pool->size()) {}
  double seconds() {
    uint64_t sum = total(counter_);
    bool moved = sum != sum_;
    sum_ = sum;
    double longest = 0;
    for (size_t i = 0; i < since_.size(); ++i) {
      double run = seconds_run(*(*pool)[i]);
      if (moved) since_[i] = run;
      longest = std::max(longest, run - since_[i]);
    }
    return longest;
  }

 private:
  std::atomic<uint64_t> Worker::* counter_;
  uint64_t sum_ = ~uint64_t{0};
  std::vector<double> since_;
};

// Waits up to `seconds` for the launch's end. True: it has ended. Called with the lock held.
bool wait_for_end(double seconds) {
  timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  long nanoseconds = until.tv_nsec + static_cast<long>(seconds * 1e9);
  until.tv_sec += nanoseconds / 1000000000;
  until.tv_nsec = nanoseconds % 1000000000;
  if (inside == 0 && wanted == 0) return true;
  pthread_cond_timedwait(&work_done, mutex.native(), &until);
  return inside == 0 && wanted == 0;
}

// Ticks workers that made no progress since the last look, and ends a launch in which nobody did
// for the time allowed. Threads may also go round for ever from barrier to barrier: a launch in
// which none ends for several times as long is given up too.
void watch(Launch& launch) {
  constexpr double kPeriod = 0.004;
  constexpr double kPatience = 6;
  std::vector<uint64_t> seen(pool->size(), ~uint64_t{0});
  Stillness progress(&Worker::progress);
  Stillness finished(&Worker::finished);
  double period = kPeriod;
  while (!wait_for_end(period)) {
    bool stopped = launch.stop.load();
    bool stalled = false;
    for (size_t i = 0; i < pool->size(); ++i) {
      Worker* worker = (*pool)[i];
      uint64_t now = worker->progress.load();
      if (worker->running.load() && (stopped || now == seen[i])) {
        tick(worker);
        stalled = true;
      }
      seen[i] = now;
    }
    period = stalled ? kPeriod / 8 : kPeriod;
    if (!stopped && (progress.seconds() > launch.timeout_s ||
                     finished.seconds() > kPatience * launch.timeout_s)) {
      if (launch.held_back.load() && launch.next_block.load() < launch.blocks)
        launch.note_shortage();
      else
        launch.timed_out.store(true);
      launch.stop.store(true);
    }
  }
}

Mutex launch_mutex;

}  // namespace

Worker* own_worker() {
  if (pool == nullptr) return nullptr;
  pthread_t self = pthread_self();
  for (Worker* worker : *pool)
    if (worker->thread == self) return worker;
  return nullptr;
}

bool on_worker() {
  const Worker* worker = own_worker();
  return worker != nullptr && worker->running.load(std::memory_order_relaxed);
}

void let_block_step(Worker* self, uint32_t block, uintptr_t address) {
  constexpr double kSpin = 100e-6;
  constexpr useconds_t kRest = 50;
  for (const Worker* other : *pool) {
    if (other == self || !other->running.load()) continue;
    const volatile unsigned& runs = other->context->block.flat;
    if (runs != block) continue;
    const volatile auto& accesses = other->context->check.accesses;
    const volatile auto& idle = other->idle;
    auto before = accesses;
    // Who waits at another place has done what it announced at this one.
    auto waits_elsewhere = [&] {
      uintptr_t at = other->waits_at.load();
      return idle != 0 || (at != 0 && at != address);
    };
    self->waits_at.store(address);
    double began = seconds_now();
    double waited = 0;
    while (waited < self->patience && accesses == before && runs == block &&
           other->running.load() && !waits_elsewhere()) {
      if (waited > kSpin) usleep(kRest);
      waited = seconds_now() - began;
    }
    if (waited >= self->patience) self->patience /= 2;
    self->waits_at.store(0);
  }
}

void lend_turn(Worker* worker, Fiber* self) {
  constexpr double kSpin = 100e-6;
  constexpr useconds_t kRest = 50;
  constexpr uint64_t kTurns = 2;    // of which the first may have begun before
  if (worker->lender == nullptr) {  // else its own turn is a lent one
    worker->lender = worker->block;
    set_block_aside(worker, self);
  }
  for (const Worker* other : *pool) {
    if (other == worker || !other->running.load()) continue;
    uint64_t before = other->fruitless.load();
    double began = seconds_now();
    double waited = 0;
    while (waited < worker->generosity && other->running.load() && other->waits_at.load() == 0 &&
           other->fruitless.load() < before + kTurns) {
      worker->fruitless.fetch_add(1);
      if (waited > kSpin) usleep(kRest);
      waited = seconds_now() - began;
    }
    if (waited >= worker->generosity) worker->generosity /= 2;
  }
}

void run_launch(Launch& launch, int count) {
  Locked one_at_a_time(launch_mutex);
  if (count <= 0) count = core_count();
  if (count > kMostWorkers) count = kMostWorkers;
  if (launch.blocks < static_cast<uint64_t>(count)) count = static_cast<int>(launch.blocks);
  Locked lock(mutex);
  ensure_workers(static_cast<size_t>(count));
  if (pool->empty()) {
    launch.fault.ending = Ending::fault;
    strcpy(launch.fault.message, "no thread could be started");
    return;
  }
  install_signals();
  set_shift(launch.adversary.shift, launch.adversary.seed);
  launch.workers = count;
  if (launch.observer != nullptr) launch.observer->launch_begins(launch);
  pending = &launch;
  wanted = static_cast<uint32_t>(count);
  pthread_cond_broadcast(&work_ready);
  watch(launch);
  pending = nullptr;
  if (launch.observer != nullptr) launch.observer->launch_ends(launch);
}

}  // namespace hipaudit
