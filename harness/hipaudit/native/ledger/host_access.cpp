#include "host_access.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>

#include <algorithm>
#include <cstring>

#include "../device/watch.h"
#include "below.h"
#include "finish.h"
#include "ledger.h"
#include "options.h"
#include "stacks.h"
#include "watch.h"

// Calls a function on another stack, in a way that a stack can be walked through.
extern "C" void hipaudit_ledger_run_on(void (*function)(void*), void* argument, uintptr_t stack);
asm(R"(
.text
.hidden hipaudit_ledger_run_on
.globl hipaudit_ledger_run_on
.type hipaudit_ledger_run_on,@function
hipaudit_ledger_run_on:
  .cfi_startproc
  push %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp,-16
  mov %rsp,%rbp
  .cfi_def_cfa_register %rbp
  mov %rdx,%rsp
  mov %rdi,%rax
  mov %rsi,%rdi
  call *%rax
  mov %rbp,%rsp
  pop %rbp
  .cfi_def_cfa %rsp,8
  ret
  .cfi_endproc
.size hipaudit_ledger_run_on,.-hipaudit_ledger_run_on
)");

namespace hipaudit::ledger {
namespace {

// Walking a stack for the first time loads a library, which a handler must not do.
bool is_ready() {
  static const bool ready = [] {
    void* frame = nullptr;
    return backtrace(&frame, 1) >= 0;
  }();
  return ready;
}

constexpr int kLookedAt = 24;  // frames, the handler's own among them

struct HostAccess {
  uint64_t address;
  bool write;
  Watch watch;
  uintptr_t pc = 0;     // of a fault
  uintptr_t stack = 0;  // its stack pointer
  bool freed = false;   // nothing protects the memory: it may be gone
};

bool is_allocator(const char* name) {
  static const char* const names[] = {"malloc", "free",     "calloc",         "realloc",
                                      "cfree",  "memalign", "posix_memalign", "aligned_alloc"};
  for (const char* one : names)
    if (strcmp(name, one) == 0) return true;
  return false;
}

// True when the fault struck in a call of the device's that the ledger does not track, or within
// the C library's allocator, whose locks may be held: nothing can be said then.
bool must_be_silent(uintptr_t pc) {
  static void* const of_device = find_below("hipGetDevice");
  Dl_info device;
  Dl_info own;
  if (dladdr(of_device, &device) == 0 || dladdr(reinterpret_cast<void*>(&is_ready), &own) == 0)
    return true;
  void* frames[kLookedAt];
  int count = backtrace(frames, kLookedAt);
  int at = 0;
  while (at < count && reinterpret_cast<uintptr_t>(frames[at]) != pc) ++at;
  for (; at < count; ++at) {
    Dl_info info;
    if (dladdr(frames[at], &info) == 0) continue;
    if (info.dli_fbase == device.dli_fbase) return true;
    if (info.dli_fbase == own.dli_fbase) return false;  // it runs the program's function
    if (info.dli_sname != nullptr && is_allocator(info.dli_sname)) return true;
  }
  return false;
}

// With the ledger's lock held.
bool describe(const HostAccess& access, const Thread& thread, Finding* finding) {
  Ledger& own = ledger();
  const Access& before = access.watch.access;
  const Record* record = own.records.find_memory(access.watch.address);
  if (record == nullptr || !record->live || record->serial != access.watch.serial) return false;
  if (own.order.before_host(before.slot, before.epoch)) return false;
  if (thread.seen != nullptr && Order::has(*thread.seen, before.slot, before.epoch)) return false;
  bool write = access.write;
  finding->kind = "missing-synchronisation";
  finding->subject = subject_of(*record, access.address);
  finding->bytes = before.end - before.begin;
  finding->access = write ? "write" : "read";
  finding->call = write ? "a store by the host" : "a load by the host";
  finding->other_call = before.call;
  finding->other_stack = before.stack;
  finding->other_stream = own.order.name_of(before.slot);
  finding->message = std::string("the host ") + (write ? "writes to " : "reads ") + title(*record) +
                     ", which " + actor(before) + " " + verb(before.use) +
                     ": it did not wait for that";
  mark_told(*record, before);
  return true;
}

// The same of memory that is no more.
bool describe_freed(const HostAccess& access, Finding* finding) {
  const Record* record = ledger().records.find_holder(access.address);
  if (record == nullptr || record->live || record->death_call == nullptr) return false;
  finding->kind = "use-after-free";
  finding->subject = subject_of(*record, access.address);
  finding->access = access.write ? "write" : "read";
  finding->call = access.write ? "a store by the host" : "a load by the host";
  finding->other_call = record->death_call;
  finding->other_stack = record->death_stack;
  finding->message = std::string("the host ") + (access.write ? "writes to " : "reads ") +
                     title(*record) + ", which " + record->death_call + " freed";
  return true;
}

void tell(void* raw) {
  auto& access = *static_cast<HostAccess*>(raw);
  if (access.pc != 0 && must_be_silent(access.pc)) return;
  Thread& thread = this_thread();
  thread.interrupted = reinterpret_cast<const void*>(access.pc);
  Finding finding;
  finding.stack = capture_stack(thread);
  thread.interrupted = nullptr;
  bool found = false;
  {
    Locked lock(ledger().mutex);
    found = access.freed ? describe_freed(access, &finding) : describe(access, thread, &finding);
  }
  if (found) report(finding);
  // The process may end of it.
  if (found && access.freed) write_sums(false);
}

// Signal stacks are small. The code that was interrupted goes on only when all is said, so that its
// own stack can be used, below what it may keep there without having reserved it.
void tell_on_its_stack(HostAccess& access) {
  constexpr uintptr_t kReserved = 128;
  stack_t alternate;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = errno;
  if (sigaltstack(nullptr, &alternate) == 0 && (alternate.ss_flags & SS_ONSTACK) != 0)
    hipaudit_ledger_run_on(tell, &access, (access.stack - kReserved) & ~uintptr_t{15});
  else
    tell(&access);
  errno = error;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// Another thread may have lifted the protection meanwhile: the access is then made again, once.
bool try_again(uint64_t address) {
  static thread_local uint64_t last __attribute__((tls_model("initial-exec"))) = 0;
  bool again = last != address;
  last = again ? address : 0;
  return again;
}

bool on_fault(const HostFault* fault) {
  Thread* thread = known_thread();
  if (fault->in_kernel)
    return lift_at(kKernel, fault->address, fault->write) || try_again(fault->address);
  if (thread != nullptr && thread->call != nullptr)
    return lift_at(thread->id, fault->address, fault->write) || try_again(fault->address);
  HostAccess access{fault->address, fault->write, {}, fault->pc, fault->stack};
  access.freed = !end_at(fault->address, fault->address + 1, fault->write, &access.watch);
  if (access.freed && try_again(fault->address)) return true;
  if (tracking() && options.host.load()) tell_on_its_stack(access);
  return !access.freed;
}

}  // namespace

bool sees_faults() {
  static Below<int(bool (*)(const HostFault*))> below("hipaudit_watch_faults");
  return is_ready() && below(on_fault) != 0;
}

void host_uses(const void* memory, size_t bytes, bool write) {
  const Thread* thread = known_thread();
  uint64_t begin = reinterpret_cast<uintptr_t>(memory);
  // Within the device everything is lifted.
  if (bytes == 0 || (thread != nullptr && thread->call != nullptr)) return;
  HostAccess access{begin, write, {}};
  if (!end_at(begin, begin + bytes, write, &access.watch)) return;
  access.address = std::max(begin, access.watch.first);
  if (tracking() && options.host.load()) tell(&access);
}

}  // namespace hipaudit::ledger
