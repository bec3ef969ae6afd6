// The reserved range of device addresses, and the protection of its pages.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hipaudit {

constexpr size_t kPageBytes = 4096;

constexpr uintptr_t round_up(uintptr_t value, size_t step) {
  return (value + step - 1) / step * step;
}

// Reserves the whole range, inaccessible, at its fixed address. Says on stderr why when it cannot.
bool reserve_address_space();

// Makes pages readable and writable; they read as zeros and cost nothing until touched. Large spans
// ask for huge pages: a first touch then costs one fault per 2 MiB and not 512.
bool open_pages(uintptr_t start, size_t bytes);

// Drops the contents of pages and makes any access to them fault.
void close_pages(uintptr_t start, size_t bytes);

// Drops the contents of open pages; they read as zeros again.
void discard_pages(uintptr_t start, size_t bytes);

}  // namespace hipaudit
