// The plain functions that kernels call: output, the end of a kernel, memory, clocks.
#include <time.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "half_calls.h"
#include "kernel_abi.h"
#include "memory.h"
#include "worker.h"

using namespace hipaudit;

int hipaudit_printf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int written = vprintf(format, arguments);
  va_end(arguments);
  fflush(stdout);
  return written;
}

namespace {

[[noreturn]] void end_kernel(const char* site, const char* message) {
  Worker* worker = current_worker();
  Launch& launch = *worker->launch;
  if (launch.claim_fault()) {
    launch.fault.ending = Ending::aborted;
    launch.fault.pc = reinterpret_cast<uintptr_t>(site) - 1;
    launch.fault.thread = context().thread;
    launch.fault.block = context().block;
    snprintf(launch.fault.message, sizeof launch.fault.message, "%s", message);
  }
  abandon(worker);
}

}  // namespace

void hipaudit_abort() {
  end_kernel(static_cast<const char*>(__builtin_return_address(0)), "the kernel called abort()");
}

void hipaudit_assert_fail(const char* condition, const char* file, unsigned line,
                          const char* function) {
  char text[256];
  snprintf(text, sizeof text, "assertion `%s' failed in %s (%s:%u)", condition, function, file,
           line);
  end_kernel(static_cast<const char*>(__builtin_return_address(0)), text);
}

// What a pure virtual function is until a constructor has run: named by compilers' tables.
static void hipaudit_pure_virtual() {
  end_kernel(static_cast<const char*>(__builtin_return_address(0)),
             "a pure virtual function was called");
}

// Tables of virtual functions point to a description of their type; no device code looks at it.
static void* type_description[4];

unsigned long long hipaudit_clock() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<unsigned long long>(now.tv_sec) * 1000000000ull +
         static_cast<unsigned long long>(now.tv_nsec);
}

// The heap of the device: the same memory as hipMalloc's.
void* hipaudit_malloc(size_t size) { return allocate(size, MemoryKind::device); }
void hipaudit_free(void* memory) {
  if (memory == nullptr) return;
  Worker* worker = current_worker();
  if (Observer* observer = worker->launch->observer)
    observer->memory_freed(*worker, reinterpret_cast<uintptr_t>(memory),
                           reinterpret_cast<uintptr_t>(__builtin_return_address(0)) - 1);
  release(memory);
}

namespace hipaudit {

#define HIPAUDIT_SYMBOL(name) {#name, reinterpret_cast<void*>(&name)}
const Symbol kCoreSymbols[] = {
    HIPAUDIT_SYMBOL(hipaudit_syncthreads),
    HIPAUDIT_SYMBOL(hipaudit_syncthreads_count),
    HIPAUDIT_SYMBOL(hipaudit_syncthreads_and),
    HIPAUDIT_SYMBOL(hipaudit_syncthreads_or),
    HIPAUDIT_SYMBOL(hipaudit_barrier),
    HIPAUDIT_SYMBOL(hipaudit_grid_sync),
    HIPAUDIT_SYMBOL(hipaudit_fence),
    HIPAUDIT_SYMBOL(hipaudit_yield),
    HIPAUDIT_SYMBOL(hipaudit_wave_ballot),
    HIPAUDIT_SYMBOL(hipaudit_wave_shuffle),
    HIPAUDIT_SYMBOL(hipaudit_wave_permute),
    HIPAUDIT_SYMBOL(hipaudit_wave_first),
    HIPAUDIT_SYMBOL(hipaudit_wave_match),
    HIPAUDIT_SYMBOL(hipaudit_wave_sync),
    HIPAUDIT_SYMBOL(hipaudit_wave_barrier),
    HIPAUDIT_SYMBOL(hipaudit_printf),
    HIPAUDIT_SYMBOL(hipaudit_abort),
    HIPAUDIT_SYMBOL(hipaudit_assert_fail),
    HIPAUDIT_SYMBOL(hipaudit_clock),
    HIPAUDIT_SYMBOL(hipaudit_malloc),
    HIPAUDIT_SYMBOL(hipaudit_free),
    {"__cxa_pure_virtual", reinterpret_cast<void*>(&hipaudit_pure_virtual)},
    {"_ZTVN10__cxxabiv117__class_type_infoE", type_description},
    {"_ZTVN10__cxxabiv120__si_class_type_infoE", type_description},
    {"_ZTVN10__cxxabiv121__vmi_class_type_infoE", type_description},
    {"__truncsfbf2", reinterpret_cast<void*>(&hipaudit_truncate_float_to_bfloat)},
    {"__truncdfbf2", reinterpret_cast<void*>(&hipaudit_truncate_to_bfloat)},
    {"__truncdfhf2", reinterpret_cast<void*>(&hipaudit_truncate_to_half)},
    // Calls that the compiler makes up by itself for copies and fills.
    {"memcpy",
     reinterpret_cast<void*>(static_cast<void* (*)(void*, const void*, size_t)>(&memcpy))},
    {"memmove",
     reinterpret_cast<void*>(static_cast<void* (*)(void*, const void*, size_t)>(&memmove))},
    {"memset", reinterpret_cast<void*>(static_cast<void* (*)(void*, int, size_t)>(&memset))},
    {"memcmp",
     reinterpret_cast<void*>(static_cast<int (*)(const void*, const void*, size_t)>(&memcmp))},
    {"bcmp",
     reinterpret_cast<void*>(static_cast<int (*)(const void*, const void*, size_t)>(&memcmp))},
};
const size_t kCoreSymbolCount = sizeof kCoreSymbols / sizeof kCoreSymbols[0];

}  // namespace hipaudit
