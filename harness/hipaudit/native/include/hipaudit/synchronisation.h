// Barriers and fences.
#pragma once

#include "hip/host_defines.h"

#define HIPAUDIT_CONVERGENT __attribute__((convergent))

extern "C" {
__device__ void hipaudit_syncthreads() HIPAUDIT_CONVERGENT;
__device__ int hipaudit_syncthreads_count(int predicate) HIPAUDIT_CONVERGENT;
__device__ int hipaudit_syncthreads_and(int predicate) HIPAUDIT_CONVERGENT;
__device__ int hipaudit_syncthreads_or(int predicate) HIPAUDIT_CONVERGENT;
__device__ void hipaudit_barrier(int kind) HIPAUDIT_CONVERGENT;
__device__ void hipaudit_grid_sync(void) HIPAUDIT_CONVERGENT;
__device__ void hipaudit_yield(void);
__device__ void hipaudit_fence(int order, int scope);
}

#if defined(__AMDGCN__)
#include "hipaudit/amdgcn_device.h"
#endif

// What a barrier orders besides bringing the threads together; the device library knows the values.
enum { HIPAUDIT_BARRIER_BARE = 0, HIPAUDIT_BARRIER_LOCAL = 1, HIPAUDIT_BARRIER_GLOBAL = 2 };

HIPAUDIT_DEVICE void __syncthreads() { hipaudit_syncthreads(); }
HIPAUDIT_DEVICE int __syncthreads_count(int predicate) {
  return hipaudit_syncthreads_count(predicate);
}
HIPAUDIT_DEVICE int __syncthreads_and(int predicate) { return hipaudit_syncthreads_and(predicate); }
HIPAUDIT_DEVICE int __syncthreads_or(int predicate) { return hipaudit_syncthreads_or(predicate); }

#define __CLK_LOCAL_MEM_FENCE 0x01
#define __CLK_GLOBAL_MEM_FENCE 0x02
typedef unsigned __cl_mem_fence_flags;
HIPAUDIT_DEVICE void __work_group_barrier(__cl_mem_fence_flags flags) {
  hipaudit_barrier(static_cast<int>(flags));
}
HIPAUDIT_DEVICE void __barrier(int flags) { hipaudit_barrier(flags); }
#if !defined(__AMDGCN__)
HIPAUDIT_DEVICE void __builtin_amdgcn_s_barrier() { hipaudit_barrier(HIPAUDIT_BARRIER_BARE); }
#endif

// Scopes as __hip_atomic_* has them.
HIPAUDIT_DEVICE void __threadfence() { hipaudit_fence(__ATOMIC_SEQ_CST, 4); }
HIPAUDIT_DEVICE void __threadfence_block() { hipaudit_fence(__ATOMIC_SEQ_CST, 3); }
HIPAUDIT_DEVICE void __threadfence_system() { hipaudit_fence(__ATOMIC_SEQ_CST, 5); }

namespace hipaudit {

HIPAUDIT_DEVICE constexpr bool same_text(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) ++a, ++b;
  return *a == *b;
}

// "workgroup-one-as" and its like order one address space only; for the fence itself that is no
// difference.
HIPAUDIT_DEVICE constexpr int fence_scope(const char* scope) {
  if (same_text(scope, "")) return 5;
  if (same_text(scope, "agent") || same_text(scope, "agent-one-as")) return 4;
  if (same_text(scope, "workgroup") || same_text(scope, "workgroup-one-as")) return 3;
  if (same_text(scope, "wavefront") || same_text(scope, "wavefront-one-as")) return 2;
  return 1;
}

}  // namespace hipaudit

#if !defined(__AMDGCN__)
// Names of address spaces may follow: the fence of all of them does for each.
template <class... Spaces>
HIPAUDIT_DEVICE void __builtin_amdgcn_fence(unsigned order, const char* scope, Spaces...) {
  hipaudit_fence(static_cast<int>(order), hipaudit::fence_scope(scope));
}

HIPAUDIT_DEVICE void __builtin_amdgcn_s_sleep(int) { hipaudit_yield(); }
HIPAUDIT_DEVICE void __builtin_amdgcn_s_waitcnt(int) { __asm__ volatile("" ::: "memory"); }
HIPAUDIT_DEVICE void __builtin_amdgcn_sched_barrier(int) {}
HIPAUDIT_DEVICE void __builtin_amdgcn_s_setprio(short) {}
HIPAUDIT_DEVICE void __builtin_amdgcn_sched_group_barrier(int, int, int) {}
#endif
HIPAUDIT_DEVICE void __nanosleep(unsigned) { hipaudit_yield(); }
