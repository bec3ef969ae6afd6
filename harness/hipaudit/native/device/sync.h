// Locks over pthread: libc++'s own need its compiled library, which the device library does
// without.
#pragma once

#include <pthread.h>

namespace hipaudit {

// True in a child that was forked in the middle of a launch: whoever held a lock is not there.
inline bool on_only_thread = false;

class Mutex {
 public:
  void lock() {
    if (!on_only_thread) pthread_mutex_lock(&mutex_);
  }
  void unlock() {
    if (!on_only_thread) pthread_mutex_unlock(&mutex_);
  }
  pthread_mutex_t* native() { return &mutex_; }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

// Holds a mutex for the length of a scope.
class Locked {
 public:
  explicit Locked(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  ~Locked() { mutex_.unlock(); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace hipaudit
