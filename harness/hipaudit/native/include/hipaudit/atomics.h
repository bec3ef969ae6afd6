// Atomic operations, each with the scope that its name says: _block is the workgroup, none the
// agent, _system the system.
#pragma once

#include "hip/host_defines.h"

// Memory scopes of __hip_atomic_*, as clang numbers them.
#ifndef __HIP_MEMORY_SCOPE_SINGLETHREAD
#define __HIP_MEMORY_SCOPE_SINGLETHREAD 1
#define __HIP_MEMORY_SCOPE_WAVEFRONT 2
#define __HIP_MEMORY_SCOPE_WORKGROUP 3
#define __HIP_MEMORY_SCOPE_AGENT 4
#define __HIP_MEMORY_SCOPE_SYSTEM 5
#endif

#if defined(HIPAUDIT_CHECKED)
extern "C" __device__ void hipaudit_atomic(const volatile void* address, unsigned size, int order,
                                           int scope, int kind);
#define HIPAUDIT_NOTE_ATOMIC(address, size, order, scope, kind) \
  hipaudit_atomic(address, size, order, scope, kind)
#else
#define HIPAUDIT_NOTE_ATOMIC(address, size, order, scope, kind) ((void)0)
#endif

namespace hipaudit {

enum AtomicKind { kAtomicLoad = 0, kAtomicStore = 1, kAtomicUpdate = 2 };

template <class T>
HIPAUDIT_DEVICE __attribute__((no_sanitize("thread"))) T atomic_swap_bits(T* address, T value) {
  T old;
  __atomic_exchange(address, &value, &old, __ATOMIC_SEQ_CST);
  return old;
}

// Applies `change` until nobody came between; for what the processor has no instruction for.
template <class T, class Change>
HIPAUDIT_DEVICE T atomic_change(T* address, int order, int scope, Change change) {
  HIPAUDIT_NOTE_ATOMIC(address, sizeof(T), order, scope, kAtomicUpdate);
  T old;
  __atomic_load(address, &old, __ATOMIC_RELAXED);
  for (;;) {
    T wanted = change(old);
    if (__atomic_compare_exchange(address, &old, &wanted, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
      return old;
  }
}

template <class T>
HIPAUDIT_DEVICE T atomic_cas(T* address, T expected, T wanted, int order, int scope) {
  HIPAUDIT_NOTE_ATOMIC(address, sizeof(T), order, scope, kAtomicUpdate);
  __atomic_compare_exchange(address, &expected, &wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return expected;
}

template <class T>
HIPAUDIT_DEVICE T atomic_exchange(T* address, T value, int order, int scope) {
  HIPAUDIT_NOTE_ATOMIC(address, sizeof(T), order, scope, kAtomicUpdate);
  return atomic_swap_bits(address, value);
}

}  // namespace hipaudit

#if defined(__AMDGCN__)
#include "hipaudit/amdgcn_atomics.h"
#else
// clang-format off
#define HIPAUDIT_ATOMIC_SCOPED(name, suffix, scope, T, expression)                         \
  HIPAUDIT_DEVICE T name##suffix(T* address, T value) {                                    \
    return hipaudit::atomic_change(address, __ATOMIC_RELAXED, scope,                       \
                                   [=](T old) __device__ { return (T)(expression); });     \
  }
#define HIPAUDIT_ATOMIC(name, T, expression)                                               \
  HIPAUDIT_ATOMIC_SCOPED(name, , __HIP_MEMORY_SCOPE_AGENT, T, expression)                  \
  HIPAUDIT_ATOMIC_SCOPED(name, _block, __HIP_MEMORY_SCOPE_WORKGROUP, T, expression)        \
  HIPAUDIT_ATOMIC_SCOPED(name, _system, __HIP_MEMORY_SCOPE_SYSTEM, T, expression)
#define HIPAUDIT_ATOMIC_INTEGERS(name, expression)                                         \
  HIPAUDIT_ATOMIC(name, int, expression)                                                   \
  HIPAUDIT_ATOMIC(name, unsigned, expression)                                              \
  HIPAUDIT_ATOMIC(name, long, expression)                                                  \
  HIPAUDIT_ATOMIC(name, unsigned long, expression)                                         \
  HIPAUDIT_ATOMIC(name, long long, expression)                                             \
  HIPAUDIT_ATOMIC(name, unsigned long long, expression)
#define HIPAUDIT_ATOMIC_FLOATS(name, expression)                                           \
  HIPAUDIT_ATOMIC(name, float, expression)                                                 \
  HIPAUDIT_ATOMIC(name, double, expression)

HIPAUDIT_ATOMIC_INTEGERS(atomicAdd, (unsigned long long)old + (unsigned long long)value)
HIPAUDIT_ATOMIC_FLOATS(atomicAdd, old + value)
HIPAUDIT_ATOMIC_INTEGERS(atomicSub, (unsigned long long)old - (unsigned long long)value)
HIPAUDIT_ATOMIC_FLOATS(atomicSub, old - value)
HIPAUDIT_ATOMIC_INTEGERS(atomicMin, value < old ? value : old)
HIPAUDIT_ATOMIC_FLOATS(atomicMin, value < old ? value : old)
HIPAUDIT_ATOMIC_INTEGERS(atomicMax, old < value ? value : old)
HIPAUDIT_ATOMIC_FLOATS(atomicMax, old < value ? value : old)
HIPAUDIT_ATOMIC_INTEGERS(atomicAnd, old & value)
HIPAUDIT_ATOMIC_INTEGERS(atomicOr, old | value)
HIPAUDIT_ATOMIC_INTEGERS(atomicXor, old ^ value)
HIPAUDIT_ATOMIC(atomicInc, unsigned, old >= value ? 0u : old + 1u)
HIPAUDIT_ATOMIC(atomicDec, unsigned, old == 0u || old > value ? value : old - 1u)
#undef HIPAUDIT_ATOMIC_FLOATS
#undef HIPAUDIT_ATOMIC_INTEGERS
#undef HIPAUDIT_ATOMIC
#undef HIPAUDIT_ATOMIC_SCOPED

#define HIPAUDIT_EXCHANGE(suffix, scope, T)                                                \
  HIPAUDIT_DEVICE T atomicExch##suffix(T* address, T value) {                              \
    return hipaudit::atomic_exchange(address, value, __ATOMIC_RELAXED, scope);             \
  }                                                                                        \
  HIPAUDIT_DEVICE T atomicCAS##suffix(T* address, T expected, T wanted) {                  \
    return hipaudit::atomic_cas(address, expected, wanted, __ATOMIC_RELAXED, scope);       \
  }
#define HIPAUDIT_EXCHANGES(T)                                                              \
  HIPAUDIT_EXCHANGE(, __HIP_MEMORY_SCOPE_AGENT, T)                                         \
  HIPAUDIT_EXCHANGE(_block, __HIP_MEMORY_SCOPE_WORKGROUP, T)                               \
  HIPAUDIT_EXCHANGE(_system, __HIP_MEMORY_SCOPE_SYSTEM, T)
HIPAUDIT_EXCHANGES(int)
HIPAUDIT_EXCHANGES(unsigned)
HIPAUDIT_EXCHANGES(long)
HIPAUDIT_EXCHANGES(unsigned long)
HIPAUDIT_EXCHANGES(long long)
HIPAUDIT_EXCHANGES(unsigned long long)
HIPAUDIT_EXCHANGES(float)
HIPAUDIT_EXCHANGES(double)
HIPAUDIT_EXCHANGES(unsigned short)
#undef HIPAUDIT_EXCHANGES
#undef HIPAUDIT_EXCHANGE
// clang-format on
#endif

HIPAUDIT_DEVICE float unsafeAtomicAdd(float* address, float value) {
  return atomicAdd(address, value);
}
HIPAUDIT_DEVICE double unsafeAtomicAdd(double* address, double value) {
  return atomicAdd(address, value);
}
HIPAUDIT_DEVICE float safeAtomicAdd(float* address, float value) {
  return atomicAdd(address, value);
}
HIPAUDIT_DEVICE double safeAtomicAdd(double* address, double value) {
  return atomicAdd(address, value);
}
// The hardware's own minimum and maximum.
#define HIPAUDIT_UNSAFE(name, atomic, type) \
  HIPAUDIT_DEVICE type name(type* address, type value) { return atomic(address, value); }
HIPAUDIT_UNSAFE(unsafeAtomicMin, atomicMin, float)
HIPAUDIT_UNSAFE(unsafeAtomicMin, atomicMin, double)
HIPAUDIT_UNSAFE(unsafeAtomicMax, atomicMax, float)
HIPAUDIT_UNSAFE(unsafeAtomicMax, atomicMax, double)
HIPAUDIT_UNSAFE(safeAtomicMin, atomicMin, float)
HIPAUDIT_UNSAFE(safeAtomicMin, atomicMin, double)
HIPAUDIT_UNSAFE(safeAtomicMax, atomicMax, float)
HIPAUDIT_UNSAFE(safeAtomicMax, atomicMax, double)
#undef HIPAUDIT_UNSAFE
HIPAUDIT_DEVICE void atomicAddNoRet(float* address, float value) { atomicAdd(address, value); }

#if defined(HIPAUDIT_CHECKED) && defined(__HIP_DEVICE_COMPILE__)
// The builtins keep their scope to themselves: it is announced first.
// clang-format off
#define __hip_atomic_load(p, order, scope) \
  (HIPAUDIT_NOTE_ATOMIC(p, sizeof(*(p)), order, scope, hipaudit::kAtomicLoad), __hip_atomic_load(p, order, scope))
#define __hip_atomic_store(p, value, order, scope) \
  (HIPAUDIT_NOTE_ATOMIC(p, sizeof(*(p)), order, scope, hipaudit::kAtomicStore), __hip_atomic_store(p, value, order, scope))
#define HIPAUDIT_ANNOUNCED(name, p, value, order, scope) \
  (HIPAUDIT_NOTE_ATOMIC(p, sizeof(*(p)), order, scope, hipaudit::kAtomicUpdate), name(p, value, order, scope))
#define __hip_atomic_exchange(p, value, order, scope) HIPAUDIT_ANNOUNCED(__hip_atomic_exchange, p, value, order, scope)
#define __hip_atomic_fetch_add(p, value, order, scope) HIPAUDIT_ANNOUNCED(__hip_atomic_fetch_add, p, value, order, scope)
#define __hip_atomic_fetch_sub(p, value, order, scope) HIPAUDIT_ANNOUNCED(__hip_atomic_fetch_sub, p, value, order, scope)
#define __hip_atomic_fetch_and(p, value, order, scope) HIPAUDIT_ANNOUNCED(__hip_atomic_fetch_and, p, value, order, scope)
#define __hip_atomic_fetch_or(p, value, order, scope) HIPAUDIT_ANNOUNCED(__hip_atomic_fetch_or, p, value, order, scope)
#define __hip_atomic_fetch_xor(p, value, order, scope) HIPAUDIT_ANNOUNCED(__hip_atomic_fetch_xor, p, value, order, scope)
#define __hip_atomic_fetch_min(p, value, order, scope) HIPAUDIT_ANNOUNCED(__hip_atomic_fetch_min, p, value, order, scope)
#define __hip_atomic_fetch_max(p, value, order, scope) HIPAUDIT_ANNOUNCED(__hip_atomic_fetch_max, p, value, order, scope)
#define __hip_atomic_compare_exchange_strong(p, expected, value, order, failure, scope) \
  (HIPAUDIT_NOTE_ATOMIC(p, sizeof(*(p)), order, scope, hipaudit::kAtomicUpdate), \
   __hip_atomic_compare_exchange_strong(p, expected, value, order, failure, scope))
#define __hip_atomic_compare_exchange_weak(p, expected, value, order, failure, scope) \
  (HIPAUDIT_NOTE_ATOMIC(p, sizeof(*(p)), order, scope, hipaudit::kAtomicUpdate), \
   __hip_atomic_compare_exchange_weak(p, expected, value, order, failure, scope))
// clang-format on
#endif
