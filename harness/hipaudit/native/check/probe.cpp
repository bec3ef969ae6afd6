// Kernels let all lanes shuffle and use only what some of them got, which is right: an undefined
// value is a fault where something depends on it. So the rest of the block is run twice more, in
// two children of this process that differ in that value alone, and what they leave in memory is
// compared. Where zero, which is what the hardware gives, leads to no end, nothing is reported: the
// block waits for what is not there in a child.
#include "check/probe.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "device/sync.h"

namespace hipaudit {
namespace {

constexpr int kWork = 5;          // seconds of computing that a child may take
constexpr int kPatience = 60;     // seconds that it may take where others compute as well
constexpr int kMostHarmless = 8;  // blocks in which it made no difference settle the matter

struct Child {
  pid_t process = -1;  // the second one is the first one's and ends by itself
  int answer = -1;     // where it writes what it found
};

struct Probe {
  const Block* block;
  uintptr_t pc;
  std::vector<Observation> seen;
  Child children[2];
};

struct Verdict {
  bool matters = false;
  int harmless = 0;
};

Mutex mutex;
std::vector<Probe>& probes() {
  static auto* all = new std::vector<Probe>;
  return *all;
}
std::map<uintptr_t, Verdict>& verdicts() {
  static auto* all = new std::map<uintptr_t, Verdict>;
  return *all;
}

// In a child: what it tries out.
struct Trial {
  const Block* block = nullptr;
  uintptr_t pc = 0;
  bool spoilt = false;
  uint64_t count = 0;
  int answer = -1;
} trial;

// Large and finite as float, double, half and bfloat16, and as an integer; of either sign in turn,
// so that sums, minima and maxima all change.
uint64_t spoilt_value() { return ++trial.count % 2 == 1 ? 0x7bff7bff7bff7bff : 0xfbfffbfffbfffbff; }

void mix(uint64_t& hash, const void* bytes, size_t size) {
  auto* at = static_cast<const unsigned char*>(bytes);
  for (size_t i = 0; i < size; ++i) hash = (hash ^ at[i]) * 0x100000001b3;
}

// Of all device memory that anyone has touched, and of the module's variables.
uint64_t memory_hash(const Launch& launch) {
  constexpr uintptr_t kChunk = 4096;
  uint64_t hash = 0xcbf29ce484222325;
  for (const Allocation& one : all_live()) {
    if (one.address - kDeviceBase >= kDeviceSpan) continue;
    uintptr_t end = one.address + one.size;
    for (uintptr_t at = one.address; at < end; at = (at / kChunk + 1) * kChunk)
      if (*state_of(at) != 0)
        mix(hash, reinterpret_cast<const void*>(at),
            std::min((at / kChunk + 1) * kChunk, end) - at);
  }
  for (const auto& [name, global] : launch.kernel->image->globals())
    mix(hash, reinterpret_cast<const void*>(global.address), global.size);
  return hash;
}

[[noreturn]] void answer(const Launch& launch) {
  uint64_t found[2] = {memory_hash(launch), launch.stop.load()};
  ssize_t written = write(trial.answer, found, sizeof found);
  _exit(written == sizeof found ? 0 : 1);
}

// The child goes on with the block alone, silently, and not for ever.
void become_trial(const Probe& probe, bool spoilt, int to) {
  trial = {probe.block, probe.pc, spoilt, 0, to};
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  signal(SIGXCPU, SIG_DFL);
  signal(SIGALRM, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGXCPU);
  sigaddset(&set, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  rlimit work = {kWork, kWork + 1};
  setrlimit(RLIMIT_CPU, &work);
  alarm(kPatience);
}

// Starts both children from one and the same state of the memory, which other workers may be
// changing: the second is the first one's. True in either.
bool start(Probe& probe) {
  int ends[2][2];
  if (pipe2(ends[0], O_CLOEXEC) != 0) return false;
  if (pipe2(ends[1], O_CLOEXEC) != 0) {
    close(ends[0][0]);
    close(ends[0][1]);
    return false;
  }
  pid_t process = fork();
  if (process == 0) {
    on_only_thread = true;
    bool second = fork() == 0;
    become_trial(probe, second, ends[second ? 1 : 0][1]);
    return true;
  }
  for (size_t number = 0; number < 2; ++number) {
    close(ends[number][1]);
    probe.children[number].answer = ends[number][0];
  }
  probe.children[0].process = process;
  return false;
}

// The call's result, whatever signals come meanwhile: this is a worker, which is ticked.
template <typename Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// What the child found; false when it did not come to an end.
bool hear(Child& child, uint64_t (&found)[2]) {
  bool heard = false;
  if (child.answer >= 0) {
    pollfd wait = {child.answer, POLLIN, 0};
    heard = uninterrupted([&] { return poll(&wait, 1, 1000 * kPatience); }) == 1 &&
            uninterrupted([&] { return read(child.answer, found, sizeof found); }) == sizeof found;
    close(child.answer);
  }
  if (child.process > 0) {
    kill(child.process, SIGKILL);
    uninterrupted([&] { return waitpid(child.process, nullptr, 0); });
  }
  return heard;
}

// Without a future to compare with, nothing is known.
bool matters(Probe& probe) {
  uint64_t zero[2];
  uint64_t spoilt[2];
  bool heard_zero = hear(probe.children[0], zero);
  bool heard_spoilt = hear(probe.children[1], spoilt);
  return heard_zero && (!heard_spoilt || !std::equal(zero, zero + 2, spoilt));
}

}  // namespace

uint64_t probe_undefined(Worker& worker, Block& block, const Observation& seen) {
  if (trial.block != nullptr)
    return trial.spoilt && trial.block == &block && trial.pc == seen.here.pc ? spoilt_value() : 0;
  Locked lock(mutex);
  const Verdict& known = verdicts()[seen.here.pc];
  if (known.matters) observe(*worker.launch, seen);
  if (known.matters || known.harmless >= kMostHarmless) return 0;
  for (Probe& probe : probes()) {
    if (probe.block != &block || probe.pc != seen.here.pc) continue;
    probe.seen.push_back(seen);
    return 0;
  }
  Probe probe{&block, seen.here.pc, {seen}, {}};
  if (start(probe)) return trial.spoilt ? spoilt_value() : 0;
  probes().push_back(std::move(probe));
  return 0;
}

void settle_probes(Worker& worker, Block& block) {
  if (trial.block == &block) answer(*worker.launch);
  Locked lock(mutex);
  auto ended = [&](const Probe& probe) { return probe.block == &block; };
  for (Probe& probe : probes()) {
    if (!ended(probe)) continue;
    Verdict& verdict = verdicts()[probe.pc];
    if (!matters(probe)) {
      ++verdict.harmless;
      continue;
    }
    verdict.matters = true;
    for (const Observation& seen : probe.seen) observe(*worker.launch, seen);
  }
  std::erase_if(probes(), ended);
}

void forget_probes() {
  Locked lock(mutex);
  verdicts().clear();
}

}  // namespace hipaudit
