#include "memory.h"

#include <cstring>
#include <map>
#include <vector>

#include "address_space.h"
#include "canary.h"
#include "guarded.h"
#include "memory_report.h"
#include "profile.h"
#include "settings.h"
#include "slab.h"
#include "sync.h"

// pthread_atfork under its own name is not in every C library's shared part.
extern "C" int __register_atfork(void (*prepare)(), void (*parent)(), void (*child)(), void* dso);
extern "C" void* __dso_handle;

namespace hipaudit {
namespace {

// The guarded region takes one buffer of any profile's whole memory and 64 GiB of quarantine; the
// slabs take the same memory again in many pieces.
constexpr uintptr_t kSlabStart = kDeviceBase + (576ull << 30);
constexpr uintptr_t kDeviceEnd = kDeviceBase + kDeviceSpan;

constexpr size_t kMaxPoisonBytes = 1 << 30;  // more would cost real memory that nobody asked for

struct Memory {
  Mutex mutex;
  bool reserved = false;
  bool failed = false;
  uint64_t last_id = 0;
  size_t device_bytes = 0;
  GuardedRegion guarded{kDeviceBase, kSlabStart};
  SlabRegion slab{kSlabStart, kDeviceEnd};
  std::map<uintptr_t, Allocation> registered;
};

// Made when the library is loaded and never destroyed: programs free buffers from exit handlers.
Memory* const memory = new Memory;
MemoryObserver observer;

bool in_device_range(uintptr_t address) { return address >= kDeviceBase && address < kDeviceEnd; }

void lock_for_fork() { memory->mutex.lock(); }
void unlock_after_fork() { memory->mutex.unlock(); }

// A child of fork has the memory as it was, and a lock that nobody holds.
void watch_forks() {
  __register_atfork(lock_for_fork, unlock_after_fork, unlock_after_fork, &__dso_handle);
}

// With the lock held. A failure is final: it is said once.
bool reserve() {
  if (memory->reserved || memory->failed) return memory->reserved;
  memory->reserved = reserve_address_space();
  memory->failed = !memory->reserved;
  if (memory->reserved) watch_forks();
  return memory->reserved;
}

// With the lock held.
bool find_locked(uintptr_t address, Allocation* out) {
  if (address >= kSlabStart && address < kDeviceEnd) return memory->slab.find(address, out);
  const Allocation* found = nullptr;
  if (in_device_range(address)) {
    found = memory->guarded.find(address);
  } else {
    auto next = memory->registered.upper_bound(address);
    if (next != memory->registered.begin()) found = &std::prev(next)->second;
    if (found != nullptr && address - found->address > found->size) found = nullptr;
  }
  if (found != nullptr) *out = *found;
  return found != nullptr;
}

// With the lock held: marks a live buffer as being freed, so that a second free of it fails.
bool begin_release(uintptr_t address, Allocation* out) {
  if (!in_device_range(address) || !find_locked(address, out)) return false;
  if (!out->live || out->address != address) return false;
  if (address >= kSlabStart) {
    memory->slab.set_live(address, false);
  } else {
    memory->guarded.find_live(address)->live = false;
  }
  if (out->kind == MemoryKind::device) memory->device_bytes -= out->size;
  out->live = false;
  return true;
}

// With the lock held.
void finish_release(const Allocation& allocation) {
  if (allocation.address >= kSlabStart) {
    memory->slab.close(allocation);
  } else {
    memory->guarded.close(allocation);
  }
}

struct Overwritten {
  Allocation allocation;
  Damage damage;
};

void check_zone(const Allocation& allocation, uintptr_t start, size_t bytes,
                std::vector<Overwritten>* found) {
  Damage damage = find_damage(start, bytes, Pattern::slack);
  if (damage.bytes == 0) return;
  paint(damage.start, damage.bytes, Pattern::slack);  // said once
  found->push_back({allocation, damage});
}

// With the lock held.
void check_canaries(const Allocation& allocation, std::vector<Overwritten>* found) {
  uintptr_t end = allocation.address + allocation.size;
  if (allocation.address >= kSlabStart) {
    size_t before = SlabRegion::kRedZoneBytes;
    check_zone(allocation, allocation.address - before, before, found);
    check_zone(allocation, end, memory->slab.red_zone_after(allocation), found);
  } else {
    Slack before = slack_before(allocation);
    Slack after = slack_after(allocation);
    check_zone(allocation, before.start, before.bytes, found);
    check_zone(allocation, after.start, after.bytes, found);
  }
}

void report(const std::vector<Overwritten>& found, const std::string& kernel = "") {
  for (const Overwritten& one : found) report_overwritten(one.allocation, one.damage, kernel);
}

// With the lock held.
std::vector<Allocation> live_allocations() {
  std::vector<Allocation> live;
  auto collect = [&live](const Allocation& allocation) {
    if (allocation.live) live.push_back(allocation);
  };
  memory->guarded.each_live(collect);
  memory->slab.each_live(collect);
  return live;
}

// With the lock held. 0: no room.
bool open_buffer(Allocation* allocation, SlabRegion::Reuse* reuse) {
  return memory->guarded.open(allocation) || memory->slab.open(allocation, reuse);
}

}  // namespace

void observe_memory(const MemoryObserver& hooks) { observer = hooks; }
const MemoryObserver& memory_observer() { return observer; }

void* allocate(size_t size, MemoryKind kind, uint32_t flags) {
  Settings now = settings();
  bool on_device = kind == MemoryKind::device;
  size_t limit = on_device ? find_profile(now.arch.c_str())->memory_bytes : kDeviceSpan;
  Allocation made{.size = size, .kind = kind, .live = true, .flags = flags};
  SlabRegion::Reuse reuse;
  {
    Locked lock(memory->mutex);
    size_t used = on_device ? memory->device_bytes : 0;
    if (size == 0 || used > limit || size > limit - used || !reserve()) return nullptr;
    made.id = memory->last_id + 1;
    if (!open_buffer(&made, &reuse)) return nullptr;
    memory->last_id = made.id;
    if (on_device) memory->device_bytes += size;
  }
  if (now.poison >= 0 && size <= kMaxPoisonBytes)
    memset(reinterpret_cast<void*>(made.address), now.poison, size);
  if (reuse.damage_bytes != 0)
    report_written_after_free(reuse.before, reuse.damage_start, reuse.damage_bytes);
  if (observer.allocated != nullptr) observer.allocated(made);
  return reinterpret_cast<void*>(made.address);
}

bool release(void* pointer) {
  Allocation freed;
  std::vector<Overwritten> overwritten;
  {
    Locked lock(memory->mutex);
    if (!begin_release(reinterpret_cast<uintptr_t>(pointer), &freed)) return false;
    check_canaries(freed, &overwritten);
  }
  report(overwritten);
  if (observer.freed != nullptr) observer.freed(freed);
  Locked lock(memory->mutex);
  finish_release(freed);
  return true;
}

void release_all() {
  memory->mutex.lock();
  std::vector<Allocation> live = live_allocations();
  memory->mutex.unlock();
  for (const Allocation& allocation : live) release(reinterpret_cast<void*>(allocation.address));
}

void check_live_canaries() {
  std::vector<Overwritten> overwritten;
  {
    Locked lock(memory->mutex);
    for (const Allocation& allocation : live_allocations())
      check_canaries(allocation, &overwritten);
  }
  report(overwritten);
}

void check_canaries_after(const std::string& kernel, uintptr_t address) {
  std::vector<Overwritten> overwritten;
  {
    Locked lock(memory->mutex);
    Allocation allocation;
    if (!in_device_range(address) || !find_locked(address, &allocation) || !allocation.live) return;
    check_canaries(allocation, &overwritten);
  }
  report(overwritten, kernel);
}

bool register_host(void* pointer, size_t size, uint32_t flags) {
  uintptr_t address = reinterpret_cast<uintptr_t>(pointer);
  Allocation made{.address = address,
                  .size = size,
                  .kind = MemoryKind::registered,
                  .live = true,
                  .flags = flags};
  {
    Locked lock(memory->mutex);
    if (address + size > kDeviceBase && address < kDeviceEnd) return false;
    auto next = memory->registered.lower_bound(address);
    if (next != memory->registered.end() && next->first < address + size) return false;
    if (next != memory->registered.begin()) {
      const Allocation& previous = std::prev(next)->second;
      if (previous.address + previous.size > address) return false;
    }
    made.id = ++memory->last_id;
    memory->registered[address] = made;
  }
  if (observer.allocated != nullptr) observer.allocated(made);
  return true;
}

bool unregister_host(void* pointer) {
  Allocation gone;
  {
    Locked lock(memory->mutex);
    auto found = memory->registered.find(reinterpret_cast<uintptr_t>(pointer));
    if (found == memory->registered.end()) return false;
    gone = found->second;
    gone.live = false;
    memory->registered.erase(found);
  }
  if (observer.freed != nullptr) observer.freed(gone);
  return true;
}

bool find_allocation(uintptr_t address, Allocation* out) {
  Locked lock(memory->mutex);
  return find_locked(address, out);
}

bool find_live(uintptr_t address, size_t size, Allocation* out) {
  return find_allocation(address, out) && out->live && address + size <= out->address + out->size;
}

bool has_own_pages(const Allocation& allocation) {
  return allocation.address >= kDeviceBase && allocation.address < kSlabStart;
}

std::vector<Allocation> all_live() {
  Locked lock(memory->mutex);
  return live_allocations();
}

bool nearest_allocation(uintptr_t address, size_t reach, Allocation* out) {
  Locked lock(memory->mutex);
  constexpr size_t kStep = 256;  // every buffer starts at a multiple of it
  uintptr_t from = address / kStep * kStep;
  for (size_t distance = 0; distance <= reach; distance += kStep) {
    if (find_locked(from - distance, out) && out->live) return true;
    if (find_locked(from + distance, out) && out->live) return true;
  }
  return false;
}

bool device_memory_ready() {
  Locked lock(memory->mutex);
  return reserve();
}

size_t live_device_bytes() {
  Locked lock(memory->mutex);
  return memory->device_bytes;
}

}  // namespace hipaudit

// At exit, what was never freed is checked as well.
__attribute__((destructor)) static void check_canaries_at_exit() {
  hipaudit::check_live_canaries();
}
