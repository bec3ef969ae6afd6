// Sums of what was copied and waited for, by the site that asked for it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "../device/json.h"
#include "order.h"
#include "record.h"
#include "thread.h"

namespace hipaudit::ledger {

enum class Place : uint8_t { pageable, pinned, registered, managed, device, global, array };
enum class Direction : uint8_t {
  host_to_host,
  host_to_device,
  device_to_host,
  device_to_device,
  fill,
};

Place place_of(const Record* record);

struct CopyNote {
  Direction direction = Direction::fill;
  Place source = Place::pageable;
  Place destination = Place::pageable;
  uint64_t bytes = 0;
  bool async = false;
  bool repeat = false;  // the same bytes went to the same place before
};

struct WaitNote {
  const char* reason = "";
  bool hidden = false;    // the call is no synchronisation by its name
  bool needless = false;  // nothing was under way
};

// Not locked: the ledger's own lock is held by whoever calls.
class Traffic {
 public:
  void note_copy(const Call& call, const Lane& lane, const std::string& stream,
                 const CopyNote& note);
  void note_wait(const Call& call, const Lane& lane, const std::string& stream,
                 const WaitNote& note);
  void put_copies(JsonWriter& json) const;
  void put_waits(JsonWriter& json) const;

  // Tells whether a copy moves what the one before it to that place moved, and remembers it. State
  // 0 stands for contents that are not known.
  struct Contents {
    uint64_t source = 0;
    uint64_t source_state = 0;
    uint64_t destination_state = 0;  // of the destination, after the copy
  };
  bool is_repeat(uint64_t destination, uint64_t bytes, const Contents& now,
                 uint64_t destination_before);

 private:
  using Key = std::tuple<const char*, uint32_t, uint32_t, uint64_t>;

  struct Copies {
    CopyNote note;
    std::string stream;
    uint64_t count = 0;
    uint64_t bytes = 0;
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;
    uint64_t repeats = 0;
    uint64_t repeat_bytes = 0;
  };
  struct Waits {
    WaitNote note;
    std::string stream;
    uint64_t count = 0;
    uint64_t needless = 0;
  };

  std::map<Key, Copies> copies_;
  std::map<Key, Waits> waits_;
  std::map<std::pair<uint64_t, uint64_t>, Contents> last_;
};

// Of contents that are not too long to look at each time; 0: they are.
uint64_t hash_of(const void* bytes, uint64_t size);

}  // namespace hipaudit::ledger
