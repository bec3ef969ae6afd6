// Signals on workers: a fault in kernel code ends the launch and not the process; a tick lets
// others run.
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "sync.h"
#include "watch.h"
#include "worker.h"

namespace hipaudit {
namespace {

constexpr int kFaultSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
struct sigaction previous[_NSIG];
Mutex installing;
bool installed = false;

int tick_signal() { return SIGRTMAX - 3; }

// The innermost place in kernel code: where the signal struck, or, when a function of the library
// was running on the kernel's behalf, the first return address on the stack that lies in the
// kernel's code.
uintptr_t kernel_place(const Worker* worker, const ucontext_t* state) {
  const Image& image = *worker->launch->kernel->image;
  auto pc = static_cast<uintptr_t>(state->uc_mcontext.gregs[REG_RIP]);
  if (image.is_code(pc)) return pc;
  auto* stack = reinterpret_cast<const uintptr_t*>(state->uc_mcontext.gregs[REG_RSP]);
  if (worker->current == nullptr) return 0;
  for (int word = 0; word < 1024; ++word) {
    auto address = reinterpret_cast<uintptr_t>(stack + word);
    if (worker->stacks.guard_hit(address) == worker->current->stack) continue;
    if (!context().on_stack(address)) break;
    if (image.is_code(stack[word])) return stack[word] - 1;
  }
  return 0;
}

// Where a recursion that has used up the stack calls itself: the return address that lies on it
// most often. 0: none is there again and again.
uintptr_t recursive_call(const Worker* worker, const ucontext_t* state) {
  constexpr int kMostWords = 8192;
  constexpr size_t kMostCalls = 256;
  constexpr int kOften = 8;
  const Image& image = *worker->launch->kernel->image;
  uintptr_t calls[kMostCalls];
  size_t count = 0;
  auto* stack = reinterpret_cast<const uintptr_t*>(state->uc_mcontext.gregs[REG_RSP]);
  for (int word = 0; word < kMostWords && count < kMostCalls; ++word) {
    auto address = reinterpret_cast<uintptr_t>(stack + word);
    if (!context().on_stack(address)) continue;
    if (image.is_code(stack[word])) calls[count++] = stack[word];
  }
  uintptr_t found = 0;
  long most = kOften;
  for (size_t i = 0; i < count; ++i) {
    long times = std::count(calls, calls + count, calls[i]);
    bool better = times > most || (times == most && (found == 0 || calls[i] < found));
    if (better) found = calls[i];
    if (better) most = times;
  }
  if (found != 0) found -= 1;
  return found;
}

void fill_fault(Worker* worker, int signal, const siginfo_t* info, const ucontext_t* state) {
  Launch& launch = *worker->launch;
  if (!launch.claim_fault()) return;
  Fault& fault = launch.fault;
  fault.ending = Ending::fault;
  fault.signal = signal;
  fault.address = reinterpret_cast<uintptr_t>(info->si_addr);
  fault.no_address = info->si_code == SI_KERNEL;
  fault.in_guard = worker->current != nullptr &&
                   worker->stacks.guard_hit(fault.address) == worker->current->stack;
  if (fault.in_guard) fault.pc = recursive_call(worker, state);
  if (fault.pc == 0) fault.pc = kernel_place(worker, state);
  fault.write = signal == SIGSEGV && (state->uc_mcontext.gregs[REG_ERR] & 2) != 0;
  fault.thread = context().thread;
  fault.block = context().block;
}

void pass_on(int signal, siginfo_t* info, void* state) {
  const struct sigaction& old = previous[signal];
  if ((old.sa_flags & SA_SIGINFO) != 0 && old.sa_sigaction != nullptr) {
    old.sa_sigaction(signal, info, state);
  } else if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN) {
    old.sa_handler(signal);
  } else {
    sigaction(signal, &old, nullptr);  // returning repeats the fault, which now ends the process
  }
}

// Memory that the ledger keeps the host from.
bool is_watched(int signal, const siginfo_t* info, const ucontext_t* state, bool in_kernel) {
  if (signal != SIGSEGV || info->si_code != SEGV_ACCERR) return false;
  const auto& registers = state->uc_mcontext.gregs;
  HostFault fault;
  fault.address = reinterpret_cast<uintptr_t>(info->si_addr);
  fault.pc = static_cast<uintptr_t>(registers[REG_RIP]);
  fault.stack = static_cast<uintptr_t>(registers[REG_RSP]);
  fault.write = (registers[REG_ERR] & 2) != 0;
  fault.in_kernel = in_kernel;
  return ask_about_fault(fault);
}

void on_fault(int signal, siginfo_t* info, void* raw) {
  auto* state = static_cast<ucontext_t*>(raw);
  bool in_kernel = on_worker();
  if (is_watched(signal, info, state, in_kernel)) return;
  if (!in_kernel) {
    pass_on(signal, info, raw);
    return;
  }
  Worker* worker = current_worker();
  fill_fault(worker, signal, info, state);
  // Return from the handler straight into a switch to the worker's own loop.
  auto& registers = state->uc_mcontext.gregs;
  registers[REG_RIP] = reinterpret_cast<greg_t>(&hipaudit_switch);
  registers[REG_RDI] = reinterpret_cast<greg_t>(&worker->left);
  registers[REG_RSI] = reinterpret_cast<greg_t>(worker->scheduler);
  registers[REG_RSP] =
      reinterpret_cast<greg_t>(worker->leaving_stack + sizeof worker->leaving_stack);
}

void on_tick(int, siginfo_t*, void* raw) {
  Worker* worker = own_worker();
  if (worker == nullptr) return;
  // Also when the tick comes late, after the launch it was meant for.
  worker->tick_pending.store(false);
  if (!worker->running.load() || worker->launch == nullptr || worker->current == nullptr) return;
  auto pc = static_cast<uintptr_t>(static_cast<ucontext_t*>(raw)->uc_mcontext.gregs[REG_RIP]);
  // The library's own code is never left in the middle.
  if (!worker->launch->kernel->image->is_code(pc)) return;
  if (worker->launch->stop.load()) {
    worker->launch->note_timeout(pc, context().thread, context().block);
    abandon(worker);
  }
  // Where it was, should the launch be given up while the others run.
  worker->current->site = reinterpret_cast<const char*>(pc + 1);
  give_way(worker, worker->current);
}

void install(int signal, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction now;
  if (sigaction(signal, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
      now.sa_sigaction == handler)
    return;
  previous[signal] = now;
  struct sigaction action = {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_RESTART | flags;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

void install_signals() {
  Locked lock(installing);
  installed = true;
  for (int signal : kFaultSignals) install(signal, on_fault, SA_ONSTACK);
  // On the fiber's own stack and not masked: the handler switches away and comes back later.
  install(tick_signal(), on_tick, SA_NODEFER);
}

bool faults_come_here_first() {
  struct sigaction now;
  if (sigaction(SIGSEGV, nullptr, &now) != 0) return false;
  if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == on_fault) return true;
  if (installed) return false;
  install_signals();
  return true;
}

void prepare_worker_signals() {
  constexpr size_t kBytes = size_t{64} << 10;
  stack_t alternate = {};
  alternate.ss_sp = malloc(kBytes);
  alternate.ss_size = kBytes;
  sigaltstack(&alternate, nullptr);
  sigset_t mask;
  sigfillset(&mask);
  for (int signal : kFaultSignals) sigdelset(&mask, signal);
  sigdelset(&mask, tick_signal());
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
}

void tick(Worker* worker) {
  if (!worker->tick_pending.exchange(true)) pthread_kill(worker->thread, tick_signal());
}

}  // namespace hipaudit
