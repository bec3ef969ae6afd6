// What kernels call besides: printf, assert, clocks, allocation of nothing.
#pragma once

#include "hip/host_defines.h"

extern "C" {
__device__ int hipaudit_printf(const char* format, ...);
[[noreturn]] __device__ void hipaudit_abort();
[[noreturn]] __device__ void hipaudit_assert_fail(const char* condition, const char* file,
                                                  unsigned line, const char* function);
__device__ unsigned long long hipaudit_clock();
__device__ void* hipaudit_malloc(unsigned long size);
__device__ void hipaudit_free(void* memory);

__device__ inline __attribute__((always_inline, nodebug)) void* memcpy(
    void* __restrict__ to, const void* __restrict__ from, unsigned long size) noexcept {
  return __builtin_memcpy(to, from, size);
}
__device__ inline __attribute__((always_inline, nodebug)) void* memmove(
    void* to, const void* from, unsigned long size) noexcept {
  return __builtin_memmove(to, from, size);
}
__device__ inline __attribute__((always_inline, nodebug)) void* memset(
    void* to, int value, unsigned long size) noexcept {
  return __builtin_memset(to, value, size);
}
__device__ inline __attribute__((always_inline, nodebug)) void* malloc(
    unsigned long size) noexcept {
  return hipaudit_malloc(size);
}
__device__ inline __attribute__((always_inline, nodebug)) void free(void* memory) noexcept {
  hipaudit_free(memory);
}
}
// As AMD's compiler declares them for device code: no replacement of the host's.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Winline-new-delete"
__device__ inline __attribute__((always_inline, nodebug)) void* operator new(unsigned long size) {
  return hipaudit_malloc(size);
}
__device__ inline __attribute__((always_inline, nodebug)) void* operator new[](unsigned long size) {
  return hipaudit_malloc(size);
}
__device__ inline __attribute__((always_inline, nodebug)) void operator delete(
    void* memory) noexcept {
  hipaudit_free(memory);
}
__device__ inline __attribute__((always_inline, nodebug)) void operator delete[](
    void* memory) noexcept {
  hipaudit_free(memory);
}
__device__ inline __attribute__((always_inline, nodebug)) void operator delete(
    void* memory, unsigned long) noexcept {
  hipaudit_free(memory);
}
__device__ inline __attribute__((always_inline, nodebug)) void operator delete[](
    void* memory, unsigned long) noexcept {
  hipaudit_free(memory);
}
#pragma clang diagnostic pop
extern "C" {

// <assert.h> of the host's C library expands assert() to this.
[[noreturn]] __device__ inline __attribute__((always_inline)) void __assert_fail(
    const char* condition, const char* file, unsigned line, const char* function) noexcept {
  hipaudit_assert_fail(condition, file, line, function);
}
[[noreturn]] __device__ inline __attribute__((always_inline)) void abort() noexcept {
  hipaudit_abort();
}
}

template <class... T>
HIPAUDIT_DEVICE int printf([[maybe_unused]] const char* format, [[maybe_unused]] T... values) {
#if defined(__AMDGCN__)
  return 0;
#else
  return hipaudit_printf(format, values...);
#endif
}

// As <assert.h> would define it, which replaces it when it is included later.
#ifndef assert
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition) \
  ((condition) ? (void)0 : __assert_fail(#condition, __FILE__, __LINE__, __func__))
#endif
#endif

// A load with a cache hint, which the emulated device has no use for.
template <class T>
HIPAUDIT_DEVICE T __ldg(const T* address) {
  return *address;
}

HIPAUDIT_DEVICE long long clock64() { return static_cast<long long>(hipaudit_clock()); }
HIPAUDIT_DEVICE long long wall_clock64() { return static_cast<long long>(hipaudit_clock()); }
HIPAUDIT_DEVICE long clock() { return static_cast<long>(hipaudit_clock()); }
HIPAUDIT_DEVICE void __trap() { __builtin_trap(); }
