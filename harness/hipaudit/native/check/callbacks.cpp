// The calls that clang puts before every access of a checked kernel (-fsanitize=thread).
#include <cstring>

#include "check/access.h"
#include "check/fast.h"
#include "check/symbols.h"

#define HIPAUDIT_PC (reinterpret_cast<uintptr_t>(__builtin_return_address(0)) - 1)

namespace hipaudit {
namespace {

uintptr_t address_of(const volatile void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }
uintptr_t shared_offset(const void* pointer) {
  return address_of(pointer) - reinterpret_cast<uintptr_t>(shared_memory());
}
uintptr_t global_offset(const void* pointer) { return address_of(pointer) - kDeviceBase; }

template <bool kWrite>
constexpr AccessFlags kPlain = {kWrite ? Access::write : Access::read};

// A variable of the thread's own, where there is nothing to check that is not checked at the index.
HIPAUDIT_HOT bool is_private(const void* pointer) {
  Context& here = context();
  if (!here.on_stack(address_of(pointer)) || here.check.attention != 0) return false;
  ++here.check.accesses;
  return true;
}

template <unsigned kSize, bool kWrite>
__attribute__((noinline)) void check_shared(const void* pointer, uintptr_t pc) {
  if (!fast::access_shared<kSize, kWrite>(context(), shared_offset(pointer), pc))
    check_access(address_of(pointer), kSize, kPlain<kWrite>, pc);
}

template <unsigned kSize, bool kWrite>
__attribute__((noinline)) void check_global(const void* pointer, uintptr_t pc) {
  if (!fast::access_global<kSize, kWrite>(context(), global_offset(pointer), pc))
    check_access(address_of(pointer), kSize, kPlain<kWrite>, pc);
}

template <unsigned kSize, bool kWrite>
HIPAUDIT_HOT void check(const void* pointer, uintptr_t pc) {
  if (uintptr_t offset = shared_offset(pointer); offset < kSharedSpan) {
    if (kWrite || !fast::read_again<kSize>(context(), offset))
      check_shared<kSize, kWrite>(pointer, pc);
  } else if (global_offset(pointer) < kDeviceSpan) {
    check_global<kSize, kWrite>(pointer, pc);
  } else if (!is_private(pointer)) {
    check_access(address_of(pointer), kSize, kPlain<kWrite>, pc);
  }
}

template <unsigned kSize>
HIPAUDIT_HOT void check_both(const void* pointer, uintptr_t pc) {
  check<kSize, false>(pointer, pc);
  check<kSize, true>(pointer, pc);
}

constexpr int kSystemScope = 5;

// Who reads one place again and again waits for another thread: that one gets to run, before the
// next read is checked and done. So may who reads several in turn.
void wait_politely(Worker& worker, uintptr_t address, uintptr_t pc) {
  auto* check = static_cast<WorkerCheck*>(worker.check);
  constexpr uint32_t kPatience = 16;
  constexpr uint32_t kLongPatience = 1024;
  if (check->polling_fiber != worker.current) check->polls = check->reads = 0;
  if (check->polled_address != address) check->polls = 0;
  check->polled_address = address;
  check->polling_fiber = worker.current;
  if (++check->reads < kLongPatience && ++check->polls < kPatience) return;
  check->polls = check->reads = 0;
  worker.current->site = reinterpret_cast<const char*>(pc + 1);
  give_way(&worker, worker.current);
}

// Atomics that the headers did not announce with their scope: builtins of the language.
void unannounced(const volatile void* pointer, uint32_t size, int order, int kind, uintptr_t pc) {
  Worker* worker = current_worker();
  auto* check = static_cast<WorkerCheck*>(worker->check);
  uintptr_t address = address_of(pointer);
  if (check->noted_atomic != address) {
    if (kind != 1) wait_politely(*worker, address, pc);
    atomic_access(*worker, address, size, order, kSystemScope, kind, pc);
  }
}

// A volatile access is an access like others, but it is how flags are polled.
void polled(const volatile void* pointer, uint32_t size, int kind, uintptr_t pc) {
  if (kind == 0) wait_politely(*current_worker(), address_of(pointer), pc);
  check_access(address_of(pointer), size, {kind == 0 ? Access::read : Access::write}, pc);
}

}  // namespace
}  // namespace hipaudit

using namespace hipaudit;

extern "C" {

void __tsan_init() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

#define HIPAUDIT_ACCESS(prefix, size)                                                     \
  void __tsan_##prefix##read##size(void* p) { check<size, false>(p, HIPAUDIT_PC); }       \
  void __tsan_##prefix##write##size(void* p) { check<size, true>(p, HIPAUDIT_PC); }       \
  void __tsan_##prefix##read_write##size(void* p) { check_both<size>(p, HIPAUDIT_PC); }   \
  void __tsan_##prefix##volatile_read##size(void* p) { polled(p, size, 0, HIPAUDIT_PC); } \
  void __tsan_##prefix##volatile_write##size(void* p) { polled(p, size, 1, HIPAUDIT_PC); }
HIPAUDIT_ACCESS(, 1)
HIPAUDIT_ACCESS(, 2)
HIPAUDIT_ACCESS(, 4)
HIPAUDIT_ACCESS(, 8)
HIPAUDIT_ACCESS(, 16)
HIPAUDIT_ACCESS(unaligned_, 2)
HIPAUDIT_ACCESS(unaligned_, 4)
HIPAUDIT_ACCESS(unaligned_, 8)
HIPAUDIT_ACCESS(unaligned_, 16)

void* __tsan_memcpy(void* to, const void* from, size_t size) {
  uintptr_t pc = HIPAUDIT_PC;
  if (size > 0) {
    check_access(address_of(from), static_cast<uint32_t>(size), {Access::read}, pc);
    check_access(address_of(to), static_cast<uint32_t>(size), {Access::write}, pc);
  }
  return memcpy(to, from, size);
}

void* __tsan_memmove(void* to, const void* from, size_t size) {
  uintptr_t pc = HIPAUDIT_PC;
  if (size > 0) {
    check_access(address_of(from), static_cast<uint32_t>(size), {Access::read}, pc);
    check_access(address_of(to), static_cast<uint32_t>(size), {Access::write}, pc);
  }
  return memmove(to, from, size);
}

void* __tsan_memset(void* to, int value, size_t size) {
  if (size > 0)
    check_access(address_of(to), static_cast<uint32_t>(size), {Access::write}, HIPAUDIT_PC);
  return memset(to, value, size);
}

#define HIPAUDIT_FETCH(bits, T, name, operation)                      \
  T __tsan_atomic##bits##_##name(volatile T* p, T value, int order) { \
    unannounced(p, bits / 8, order, 2, HIPAUDIT_PC);                  \
    return operation(p, value, __ATOMIC_SEQ_CST);                     \
  }
#define HIPAUDIT_ATOMICS(bits, T)                                                                 \
  T __tsan_atomic##bits##_load(const volatile T* p, int order) {                                  \
    unannounced(p, bits / 8, order, 0, HIPAUDIT_PC);                                              \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                  \
  }                                                                                               \
  void __tsan_atomic##bits##_store(volatile T* p, T value, int order) {                           \
    unannounced(p, bits / 8, order, 1, HIPAUDIT_PC);                                              \
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);                                                 \
  }                                                                                               \
  HIPAUDIT_FETCH(bits, T, exchange, __atomic_exchange_n)                                          \
  HIPAUDIT_FETCH(bits, T, fetch_add, __atomic_fetch_add)                                          \
  HIPAUDIT_FETCH(bits, T, fetch_sub, __atomic_fetch_sub)                                          \
  HIPAUDIT_FETCH(bits, T, fetch_and, __atomic_fetch_and)                                          \
  HIPAUDIT_FETCH(bits, T, fetch_or, __atomic_fetch_or)                                            \
  HIPAUDIT_FETCH(bits, T, fetch_xor, __atomic_fetch_xor)                                          \
  HIPAUDIT_FETCH(bits, T, fetch_nand, __atomic_fetch_nand)                                        \
  T __tsan_atomic##bits##_compare_exchange_val(volatile T* p, T expected, T wanted, int order,    \
                                               int) {                                             \
    unannounced(p, bits / 8, order, 2, HIPAUDIT_PC);                                              \
    __atomic_compare_exchange_n(p, &expected, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
    return expected;                                                                              \
  }
HIPAUDIT_ATOMICS(8, uint8_t)
HIPAUDIT_ATOMICS(16, uint16_t)
HIPAUDIT_ATOMICS(32, uint32_t)
HIPAUDIT_ATOMICS(64, uint64_t)

void __tsan_atomic_thread_fence(int order) {
  checker().fence(*current_worker(), order, kSystemScope);
}
void __tsan_atomic_signal_fence(int) {}

// Announced by include/hipaudit/atomics.h before the operation itself.
void hipaudit_atomic(const volatile void* p, unsigned size, int order, int scope, int kind) {
  Worker* worker = current_worker();
  if (kind != 1) wait_politely(*worker, address_of(p), HIPAUDIT_PC);
  atomic_access(*worker, address_of(p), size, order, scope, kind, HIPAUDIT_PC);
  static_cast<WorkerCheck*>(worker->check)->noted_atomic = address_of(p);
  set_attention(kAtomicNoted);
}

}  // extern "C"

namespace hipaudit {

#define S(name) {#name, reinterpret_cast<void*>(&name)}
#define HIPAUDIT_SIZE(prefix, size)                                                  \
  S(__tsan_##prefix##read##size), S(__tsan_##prefix##write##size),                   \
      S(__tsan_##prefix##read_write##size), S(__tsan_##prefix##volatile_read##size), \
      S(__tsan_##prefix##volatile_write##size)
#define HIPAUDIT_WIDTH(bits)                                                  \
  S(__tsan_atomic##bits##_load), S(__tsan_atomic##bits##_store),              \
      S(__tsan_atomic##bits##_exchange), S(__tsan_atomic##bits##_fetch_add),  \
      S(__tsan_atomic##bits##_fetch_sub), S(__tsan_atomic##bits##_fetch_and), \
      S(__tsan_atomic##bits##_fetch_or), S(__tsan_atomic##bits##_fetch_xor),  \
      S(__tsan_atomic##bits##_fetch_nand), S(__tsan_atomic##bits##_compare_exchange_val)
const Symbol kCheckSymbols[] = {
    HIPAUDIT_SIZE(, 1),
    HIPAUDIT_SIZE(, 2),
    HIPAUDIT_SIZE(, 4),
    HIPAUDIT_SIZE(, 8),
    HIPAUDIT_SIZE(, 16),
    HIPAUDIT_SIZE(unaligned_, 2),
    HIPAUDIT_SIZE(unaligned_, 4),
    HIPAUDIT_SIZE(unaligned_, 8),
    HIPAUDIT_SIZE(unaligned_, 16),
    HIPAUDIT_WIDTH(8),
    HIPAUDIT_WIDTH(16),
    HIPAUDIT_WIDTH(32),
    HIPAUDIT_WIDTH(64),
    S(__tsan_init),
    S(__tsan_vptr_update),
    S(__tsan_vptr_read),
    S(__tsan_memcpy),
    S(__tsan_memmove),
    S(__tsan_memset),
    S(__tsan_atomic_thread_fence),
    S(__tsan_atomic_signal_fence),
    S(hipaudit_atomic),
};
const size_t kCheckSymbolCount = sizeof kCheckSymbols / sizeof kCheckSymbols[0];

}  // namespace hipaudit
