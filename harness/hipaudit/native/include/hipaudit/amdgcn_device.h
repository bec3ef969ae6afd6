// What the device library does for the emulated device, for AMD's own processors: the functions
// that the other headers declare, out of clang's amdgcn builtins. For the study of generated code:
// printf and allocation, which need the host, do nothing.
#pragma once

#include "hip/host_defines.h"

#define HIPAUDIT_AMDGCN extern "C" __device__ inline __attribute__((always_inline, nodebug))
#define HIPAUDIT_AMDGCN_CONVERGENT HIPAUDIT_AMDGCN __attribute__((convergent))

HIPAUDIT_AMDGCN void hipaudit_fence(int, int scope) {
  if (scope >= 5)
    __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "");
  else if (scope == 4)
    __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "agent");
  else
    __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "workgroup");
}

HIPAUDIT_AMDGCN_CONVERGENT void hipaudit_syncthreads() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}
HIPAUDIT_AMDGCN_CONVERGENT void hipaudit_barrier(int kind) {
  if (kind == 0)
    __builtin_amdgcn_s_barrier();
  else
    hipaudit_syncthreads();
}
// Grids meet through memory: ockl's function where the device libraries are, else left out.
HIPAUDIT_AMDGCN_CONVERGENT void hipaudit_grid_sync() {
  __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "agent");
  __builtin_amdgcn_s_barrier();
}
HIPAUDIT_AMDGCN void hipaudit_yield() { __builtin_amdgcn_s_sleep(1); }

// One counter in LDS, as AMD's library has it.
HIPAUDIT_AMDGCN_CONVERGENT int hipaudit_syncthreads_count(int predicate) {
  static __shared__ int count;
  count = 0;
  hipaudit_syncthreads();
  if (predicate != 0) __hip_atomic_fetch_add(&count, 1, __ATOMIC_RELAXED, 3);
  hipaudit_syncthreads();
  const int total = count;
  hipaudit_syncthreads();
  return total;
}
HIPAUDIT_AMDGCN_CONVERGENT int hipaudit_syncthreads_or(int predicate) {
  return hipaudit_syncthreads_count(predicate) != 0;
}
HIPAUDIT_AMDGCN_CONVERGENT int hipaudit_syncthreads_and(int predicate) {
  return hipaudit_syncthreads_count(predicate == 0) == 0;
}

HIPAUDIT_AMDGCN_CONVERGENT unsigned long long hipaudit_wave_ballot(int predicate,
                                                                   unsigned long long) {
#if __AMDGCN_WAVEFRONT_SIZE == 64
  return __builtin_amdgcn_ballot_w64(predicate != 0);
#else
  return __builtin_amdgcn_ballot_w32(predicate != 0);
#endif
}
HIPAUDIT_AMDGCN_CONVERGENT unsigned long long hipaudit_wave_shuffle(unsigned long long value,
                                                                    int source,
                                                                    unsigned long long) {
  const int low = __builtin_amdgcn_ds_bpermute(source << 2, static_cast<int>(value));
  const int high = __builtin_amdgcn_ds_bpermute(source << 2, static_cast<int>(value >> 32));
  return static_cast<unsigned long long>(static_cast<unsigned>(high)) << 32 |
         static_cast<unsigned>(low);
}
HIPAUDIT_AMDGCN_CONVERGENT unsigned long long hipaudit_wave_first(unsigned long long value) {
  const int low = __builtin_amdgcn_readfirstlane(static_cast<int>(value));
  const int high = __builtin_amdgcn_readfirstlane(static_cast<int>(value >> 32));
  return static_cast<unsigned long long>(static_cast<unsigned>(high)) << 32 |
         static_cast<unsigned>(low);
}
HIPAUDIT_AMDGCN_CONVERGENT unsigned long long hipaudit_wave_match(unsigned long long value,
                                                                  unsigned long long mask) {
  unsigned long long same = 0;
  for (bool found = false; !found;) {
    found = hipaudit_wave_first(value) == value;
    if (found) same = hipaudit_wave_ballot(1, mask);
  }
  return same;
}
HIPAUDIT_AMDGCN_CONVERGENT void hipaudit_wave_sync(unsigned long long) {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
  __builtin_amdgcn_wave_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
}
HIPAUDIT_AMDGCN_CONVERGENT void hipaudit_wave_barrier() { __builtin_amdgcn_wave_barrier(); }

HIPAUDIT_AMDGCN __attribute__((noreturn)) void hipaudit_abort() { __builtin_trap(); }
HIPAUDIT_AMDGCN __attribute__((noreturn)) void hipaudit_assert_fail(const char*, const char*,
                                                                    unsigned, const char*) {
  __builtin_trap();
}
HIPAUDIT_AMDGCN unsigned long long hipaudit_clock() { return __builtin_readcyclecounter(); }
HIPAUDIT_AMDGCN void* hipaudit_malloc(unsigned long) { return nullptr; }
HIPAUDIT_AMDGCN void hipaudit_free(void*) {}

HIPAUDIT_AMDGCN double hipaudit_fmod(double x, double y) noexcept { return __builtin_fmod(x, y); }
HIPAUDIT_AMDGCN double hipaudit_remainder(double x, double y) noexcept {
  return __builtin_elementwise_fma(-__builtin_elementwise_roundeven(x / y), y, x);
}
HIPAUDIT_AMDGCN int hipaudit_remquo_quotient(double x, double y) noexcept {
  return static_cast<int>(__builtin_elementwise_roundeven(x / y));
}
HIPAUDIT_AMDGCN double hipaudit_ldexp(double x, int n) noexcept { return __builtin_ldexp(x, n); }

#undef HIPAUDIT_AMDGCN
#undef HIPAUDIT_AMDGCN_CONVERGENT
