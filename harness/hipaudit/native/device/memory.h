// The emulated device's memory: one reserved range of addresses, every buffer guarded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hipaudit {

// All device, managed and pinned host allocations lie here; the checkers shadow it linearly.
constexpr uintptr_t kDeviceBase = 0x200000000000;
constexpr size_t kDeviceSpan = 1ull << 40;

enum class MemoryKind : uint8_t { device, host, managed, registered };

struct Allocation {
  uintptr_t address = 0;
  size_t size = 0;
  MemoryKind kind = MemoryKind::device;
  bool live = false;
  uint64_t id = 0;     // counts allocations from 1, in the order they were made
  uint32_t flags = 0;  // what the API call asked for
};

// What the checkers are told. Any of the hooks may be null. They are called with no lock held,
// after `allocated` and before `freed` takes effect; `written` and `copied` after the bytes moved.
struct MemoryObserver {
  void (*allocated)(const Allocation&) = nullptr;
  void (*freed)(const Allocation&) = nullptr;
  void (*written)(uintptr_t address, size_t size) = nullptr;
  void (*copied)(uintptr_t destination, uintptr_t source, size_t size) = nullptr;
};

// Sets the observer; to be called before other threads use the device.
void observe_memory(const MemoryObserver& observer);
const MemoryObserver& memory_observer();

// A buffer of that size, aligned to 256 bytes; nullptr when the profile's memory is used up.
// A size of 0 gives nullptr as well.
void* allocate(size_t size, MemoryKind kind, uint32_t flags = 0);

// Gives a buffer back; the bytes round it are checked, and overwritten ones reported. False when
// the pointer is not the start of a live one.
bool release(void* pointer);

// Gives back every buffer.
void release_all();

// Checks the bytes round every live buffer, as release does.
void check_live_canaries();

// Checks the bytes round the live buffer that holds the address, if there is one, after a kernel
// that was given it has run: a finding then names the kernel.
void check_canaries_after(const std::string& kernel, uintptr_t address);

// Makes a range of the host's own memory known to the device. False when part of it is known.
bool register_host(void* pointer, size_t size, uint32_t flags);

// False when no registered range starts there.
bool unregister_host(void* pointer);

// The live allocation that holds the address (one past its end counts), or else the most recently
// freed one that held it. False when there is neither.
bool find_allocation(uintptr_t address, Allocation* out);

// The live allocation that holds all of [address, address + size). False when none does.
bool find_live(uintptr_t address, size_t size, Allocation* out);

// True when nothing else lies on the pages of the allocation.
bool has_own_pages(const Allocation& allocation);

// A live allocation that ends or begins within `reach` bytes of the address, the nearest one; for
// reports on addresses that no allocation holds. False when there is none.
bool nearest_allocation(uintptr_t address, size_t reach, Allocation* out);

std::vector<Allocation> all_live();

// False, with the reason on stderr, when the address range cannot be had.
bool device_memory_ready();

// Sum of the sizes of live device buffers (not managed ones: those live on the host until used).
size_t live_device_bytes();

}  // namespace hipaudit
