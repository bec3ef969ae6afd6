// Atomic operations for AMD's own processors: clang's scoped builtins, which the backend turns into
// single instructions where the part has them.
#pragma once

#include "hip/host_defines.h"

#define HIPAUDIT_ATOMIC_SCOPED(NAME, SCOPE, T, OPERATION)                           \
  HIPAUDIT_DEVICE T NAME(T* address, T value) {                                     \
    return OPERATION(address, value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_##SCOPE); \
  }
#define HIPAUDIT_ATOMIC(NAME, T, OPERATION)                     \
  HIPAUDIT_ATOMIC_SCOPED(NAME, AGENT, T, OPERATION)             \
  HIPAUDIT_ATOMIC_SCOPED(NAME##_block, WORKGROUP, T, OPERATION) \
  HIPAUDIT_ATOMIC_SCOPED(NAME##_system, SYSTEM, T, OPERATION)
#define HIPAUDIT_ATOMIC_INTEGERS(NAME, OPERATION) \
  HIPAUDIT_ATOMIC(NAME, int, OPERATION)           \
  HIPAUDIT_ATOMIC(NAME, unsigned, OPERATION)      \
  HIPAUDIT_ATOMIC(NAME, long, OPERATION)          \
  HIPAUDIT_ATOMIC(NAME, unsigned long, OPERATION) \
  HIPAUDIT_ATOMIC(NAME, long long, OPERATION)     \
  HIPAUDIT_ATOMIC(NAME, unsigned long long, OPERATION)
#define HIPAUDIT_ATOMIC_NUMBERS(NAME, OPERATION) \
  HIPAUDIT_ATOMIC_INTEGERS(NAME, OPERATION)      \
  HIPAUDIT_ATOMIC(NAME, float, OPERATION)        \
  HIPAUDIT_ATOMIC(NAME, double, OPERATION)

HIPAUDIT_ATOMIC_NUMBERS(atomicAdd, __hip_atomic_fetch_add)
HIPAUDIT_ATOMIC_NUMBERS(atomicSub, __hip_atomic_fetch_sub)
HIPAUDIT_ATOMIC_NUMBERS(atomicMin, __hip_atomic_fetch_min)
HIPAUDIT_ATOMIC_NUMBERS(atomicMax, __hip_atomic_fetch_max)
HIPAUDIT_ATOMIC_NUMBERS(atomicExch, __hip_atomic_exchange)
HIPAUDIT_ATOMIC_INTEGERS(atomicAnd, __hip_atomic_fetch_and)
HIPAUDIT_ATOMIC_INTEGERS(atomicOr, __hip_atomic_fetch_or)
HIPAUDIT_ATOMIC_INTEGERS(atomicXor, __hip_atomic_fetch_xor)
#undef HIPAUDIT_ATOMIC_NUMBERS

#define HIPAUDIT_ATOMIC_CAS(NAME, SCOPE)                                                \
  template <class T>                                                                    \
  HIPAUDIT_DEVICE T NAME(T* address, T expected, T wanted) {                            \
    __hip_atomic_compare_exchange_strong(address, &expected, wanted, __ATOMIC_RELAXED,  \
                                         __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_##SCOPE); \
    return expected;                                                                    \
  }
HIPAUDIT_ATOMIC_CAS(atomicCAS, AGENT)
HIPAUDIT_ATOMIC_CAS(atomicCAS_block, WORKGROUP)
HIPAUDIT_ATOMIC_CAS(atomicCAS_system, SYSTEM)
#undef HIPAUDIT_ATOMIC_CAS

HIPAUDIT_DEVICE unsigned atomicInc(unsigned* address, unsigned limit) {
  return __builtin_amdgcn_atomic_inc32(address, limit, __ATOMIC_RELAXED, "agent");
}
HIPAUDIT_DEVICE unsigned atomicDec(unsigned* address, unsigned limit) {
  return __builtin_amdgcn_atomic_dec32(address, limit, __ATOMIC_RELAXED, "agent");
}
#undef HIPAUDIT_ATOMIC_INTEGERS
#undef HIPAUDIT_ATOMIC
#undef HIPAUDIT_ATOMIC_SCOPED
