#include "thread.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ledger.h"
#include "options.h"
#include "stacks.h"
#include "watch.h"

namespace hipaudit::ledger {
namespace {

__attribute__((tls_model("initial-exec"))) thread_local Thread* current = nullptr;

pthread_key_t make_key() {
  pthread_key_t key = 0;
  pthread_key_create(&key, [](void* thread) {
    current = nullptr;
    auto* ended = static_cast<Thread*>(thread);
    if (ended->per_thread_stream >= 0) {
      Locked lock(ledger().mutex);
      ledger().order.drop_lane(ended->per_thread_stream);
    }
    delete ended;
  });
  return key;
}

const pthread_key_t key = make_key();

}  // namespace

Thread& this_thread() {
  if (current == nullptr) {
    current = new Thread;
    current->id = static_cast<uint32_t>(syscall(SYS_gettid));
    pthread_setspecific(key, current);
  }
  return *current;
}

Thread* known_thread() { return current; }

Call::Call(const char* function) : name(function) {
  if (!tracking()) return;
  thread = &this_thread();
  if (thread->call != nullptr) return;
  stack = capture_stack(*thread);
  thread->call = this;
  tracked = true;
}

Call::~Call() {
  if (!tracked) return;
  if (watching()) put_back_watches(thread->id);
  thread->call = nullptr;
}

HostFunctionScope::HostFunctionScope(const Clock* seen)
    : thread_(this_thread()), call_(thread_.call), seen_(thread_.seen) {
  thread_.call = nullptr;
  thread_.seen = seen;
}

HostFunctionScope::~HostFunctionScope() {
  thread_.call = call_;
  thread_.seen = seen_;
}

}  // namespace hipaudit::ledger
