// The functions of the device library that kernels call. include/hip declares the same names for
// kernels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device_symbol.h"

extern "C" {
void hipaudit_syncthreads();
int hipaudit_syncthreads_count(int predicate);
int hipaudit_syncthreads_and(int predicate);
int hipaudit_syncthreads_or(int predicate);
void hipaudit_barrier(int kind);
void hipaudit_grid_sync();
void hipaudit_fence(int order, int scope);
void hipaudit_yield();

// Wave operations. mask names the lanes that take part; 0: those that are active at this
// instruction. `named`: the mask is the kernel's own, which all that it names must give here.
uint64_t hipaudit_wave_ballot(int predicate, uint64_t mask, int named);
uint64_t hipaudit_wave_shuffle(uint64_t value, int source, uint64_t mask, int named);
// A shuffle that reads zero from a lane that does not take part, as the instruction does.
uint64_t hipaudit_wave_permute(uint64_t value, int source);
uint64_t hipaudit_wave_first(uint64_t value);
uint64_t hipaudit_wave_match(uint64_t value, uint64_t mask, int named);
void hipaudit_wave_sync(uint64_t mask, int named);
void hipaudit_wave_barrier();

int hipaudit_printf(const char* format, ...);
[[noreturn]] void hipaudit_abort();
[[noreturn]] void hipaudit_assert_fail(const char* condition, const char* file, unsigned line,
                                       const char* function);
unsigned long long hipaudit_clock();
void* hipaudit_malloc(size_t size);
void hipaudit_free(void* memory);
}

namespace hipaudit {

// Functions of the device core and C library functions that compilers call by themselves.
extern const Symbol kCoreSymbols[];
extern const size_t kCoreSymbolCount;

}  // namespace hipaudit
