// Calls by which a program hands memory to the system. To the system a protected page is an error
// and no fault, so that these are looked at first. They are the program's own where the library was
// preloaded or linked; elsewhere the C library's are, and nobody sees this.
#include <dlfcn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../device/export.h"
#include "host_access.h"
#include "watch.h"

namespace hipaudit::ledger {
namespace {

// The function of that name in the libraries behind this one.
template <typename Function>
class Next {
 public:
  constexpr explicit Next(const char* name) : name_(name) {}

  template <typename... Arguments>
  auto operator()(Arguments... arguments) {
    Function* found = function_.load(std::memory_order_relaxed);
    if (found == nullptr) {
      found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name_));
      function_.store(found, std::memory_order_relaxed);
    }
    return found(arguments...);
  }

 private:
  const char* name_;
  std::atomic<Function*> function_{nullptr};
};

void gives(const void* memory, size_t bytes) {
  if (watching()) host_uses(memory, bytes, false);
}

void takes(const void* memory, size_t bytes) {
  if (watching()) host_uses(memory, bytes, true);
}

void each(const iovec* parts, size_t count, void (*use)(const void*, size_t)) {
  if (!watching()) return;
  for (size_t i = 0; i < count; ++i) use(parts[i].iov_base, parts[i].iov_len);
}

}  // namespace
}  // namespace hipaudit::ledger

using hipaudit::ledger::each;
using hipaudit::ledger::gives;
using hipaudit::ledger::Next;
using hipaudit::ledger::takes;

HIPAUDIT_EXPORT ssize_t write(int file, const void* from, size_t bytes) {
  static constinit Next<decltype(write)> next("write");
  gives(from, bytes);
  return next(file, from, bytes);
}

HIPAUDIT_EXPORT ssize_t read(int file, void* to, size_t bytes) {
  static constinit Next<decltype(read)> next("read");
  takes(to, bytes);
  return next(file, to, bytes);
}

HIPAUDIT_EXPORT ssize_t pwrite(int file, const void* from, size_t bytes, off_t at) {
  static constinit Next<decltype(pwrite)> next("pwrite");
  gives(from, bytes);
  return next(file, from, bytes, at);
}

HIPAUDIT_EXPORT ssize_t pread(int file, void* to, size_t bytes, off_t at) {
  static constinit Next<decltype(pread)> next("pread");
  takes(to, bytes);
  return next(file, to, bytes, at);
}

HIPAUDIT_EXPORT ssize_t pwrite64(int file, const void* from, size_t bytes, off64_t at) {
  static constinit Next<decltype(pwrite64)> next("pwrite64");
  gives(from, bytes);
  return next(file, from, bytes, at);
}

HIPAUDIT_EXPORT ssize_t pread64(int file, void* to, size_t bytes, off64_t at) {
  static constinit Next<decltype(pread64)> next("pread64");
  takes(to, bytes);
  return next(file, to, bytes, at);
}

HIPAUDIT_EXPORT ssize_t writev(int file, const iovec* parts, int count) {
  static constinit Next<decltype(writev)> next("writev");
  each(parts, static_cast<size_t>(count), gives);
  return next(file, parts, count);
}

HIPAUDIT_EXPORT ssize_t readv(int file, const iovec* parts, int count) {
  static constinit Next<decltype(readv)> next("readv");
  each(parts, static_cast<size_t>(count), takes);
  return next(file, parts, count);
}

HIPAUDIT_EXPORT ssize_t send(int socket, const void* from, size_t bytes, int flags) {
  static constinit Next<decltype(send)> next("send");
  gives(from, bytes);
  return next(socket, from, bytes, flags);
}

HIPAUDIT_EXPORT ssize_t recv(int socket, void* to, size_t bytes, int flags) {
  static constinit Next<decltype(recv)> next("recv");
  takes(to, bytes);
  return next(socket, to, bytes, flags);
}

HIPAUDIT_EXPORT ssize_t sendmsg(int socket, const msghdr* message, int flags) {
  static constinit Next<decltype(sendmsg)> next("sendmsg");
  if (message != nullptr) each(message->msg_iov, message->msg_iovlen, gives);
  return next(socket, message, flags);
}

HIPAUDIT_EXPORT ssize_t recvmsg(int socket, msghdr* message, int flags) {
  static constinit Next<decltype(recvmsg)> next("recvmsg");
  if (message != nullptr) each(message->msg_iov, message->msg_iovlen, takes);
  return next(socket, message, flags);
}

HIPAUDIT_EXPORT size_t fwrite(const void* from, size_t size, size_t count, FILE* file) {
  static constinit Next<decltype(fwrite)> next("fwrite");
  gives(from, size * count);
  return next(from, size, count, file);
}

HIPAUDIT_EXPORT size_t fread(void* to, size_t size, size_t count, FILE* file) {
  static constinit Next<decltype(fread)> next("fread");
  takes(to, size * count);
  return next(to, size, count, file);
}
