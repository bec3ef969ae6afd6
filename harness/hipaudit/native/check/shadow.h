// Shadow memory: what is known of every 4 bytes that a kernel can reach.
//
// The state byte of a word says which of its bytes may be accessed and which hold a value. The cell
// says who accessed the word last. Device memory has its shadow at a fixed linear place, mapped but
// not touched until the memory is; shared memory has one per worker.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device/memory.h"

namespace hipaudit {

// Bits 0-3: the byte holds a value. Bits 4-7: the byte belongs to a live variable or buffer.
using State = uint8_t;
constexpr State kInitialised = 0x0f;
constexpr State kAddressable = 0xf0;

// Whom an atomic excludes: nobody (a plain access), the lanes of its wave, its block, everybody.
enum class Reach : uint8_t { none, wave, block, device };

// Of a memory scope as __hip_atomic_* numbers them: singlethread, wavefront, workgroup, agent,
// system.
constexpr Reach reach_of(int scope) {
  return scope <= 1   ? Reach::none
         : scope == 2 ? Reach::wave
         : scope == 3 ? Reach::block
                      : Reach::device;
}

// One access, packed to compare fast. `time` counts the synchronisations of the thread's wave.
struct Record {
  uint64_t instance : 32;  // the block, numbered over all launches; 0: none
  uint64_t time : 16;
  uint64_t thread : 10;  // within the block
  uint64_t mask : 4;     // bytes of the word
  uint64_t reach : 2;    // a Reach: how far an atomic goes
};
static_assert(sizeof(Record) == 8, "a record is one word");
inline bool is_atomic(const Record& record) { return record.reach != 0; }

struct Cell {
  Record write;
  Record read;  // the first of the reads since the last write
  uint16_t write_site;
  uint16_t read_site;
  uint16_t other_site;    // the latest read by another thread than the first
  uint16_t other_thread;  // kNoThread: there was none
};
static_assert(sizeof(Cell) == 24, "six bytes of shadow a byte of memory");
constexpr uint16_t kNoThread = 0xffff;

constexpr uintptr_t kStateBase = 0x100000000000;
constexpr uintptr_t kCellBase = 0x300000000000;

inline State* state_of(uintptr_t address) {
  return reinterpret_cast<State*>(kStateBase + (address - kDeviceBase) / 4);
}
inline Cell* cell_of(uintptr_t address) {
  return reinterpret_cast<Cell*>(kCellBase + (address - kDeviceBase) / 4 * sizeof(Cell));
}

// Maps the shadow of device memory. False, with the reason on stderr, when the addresses are taken.
bool map_shadow();

// Sets or clears bits of the state of every byte of [address, address + size) in device memory.
void mark(uintptr_t address, size_t size, State set, State clear);
// The same over an array of states whose first word is at offset 0.
void mark_states(State* states, size_t offset, size_t size, State set, State clear);
// Gives the shadow's pages back to the system where whole ones lie within the range.
void forget(uintptr_t address, size_t size);

}  // namespace hipaudit
