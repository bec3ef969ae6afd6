// The emulated device's memory: one reserved range of addresses, every buffer guarded.
#pragma once

#include <cstddef>
#include <cstdint>

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
  uint64_t id = 0;  // counts allocations from 1, in the order they were made
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
void* allocate(size_t size, MemoryKind kind);

// Gives a buffer back. False when the pointer is not the start of a live one.
bool release(void* pointer);

// Makes a range of the host's own memory known to the device. False when it overlaps one that is.
bool register_host(void* pointer, size_t size);

// False when no registered range starts there.
bool unregister_host(void* pointer);

// The live allocation that holds the address (one past its end counts), or else the most recently
// freed one that held it. False when there is neither.
bool find_allocation(uintptr_t address, Allocation* out);

// Bytes that live device and managed buffers were asked for.
size_t live_device_bytes();

}  // namespace hipaudit
