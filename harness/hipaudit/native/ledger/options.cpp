#include "options.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string_view>

#include "../device/sync.h"
#include "below.h"

namespace hipaudit::ledger {

Options options;

namespace {

constexpr uint64_t kZoneBytes = 256;  // what HIP aligns allocations to
constexpr uint64_t kQuarantineBytes = uint64_t{64} << 20;
constexpr int kDeepest = 128;

Mutex mutex;

// Needed while the library is being initialised.
std::string& journal() {
  static auto* path = new std::string;
  return *path;
}

bool parse_count(const char* text, uint64_t* out) {
  char* end = nullptr;
  *out = strtoull(text, &end, 10);
  return end != text && *end == '\0';
}

bool set_mode(const char* value) {
  if (strcmp(value, "off") == 0)
    options.mode = Mode::off;
  else if (strcmp(value, "on") == 0)
    options.mode = Mode::on;
  else if (strcmp(value, "report") == 0)
    options.mode = Mode::report;
  else
    return false;
  return true;
}

bool set_stacks(const char* value) {
  bool automatic = strcmp(value, "auto") == 0;
  bool both = strcmp(value, "both") == 0;
  bool python = strcmp(value, "python") == 0;
  bool native = strcmp(value, "native") == 0;
  if (!automatic && !both && !python && !native && strcmp(value, "off") != 0) return false;
  options.python = automatic || both || python;
  options.native = both || native;
  options.native_fallback = automatic;
  return true;
}

bool set_switch(std::atomic<bool>& target, const char* value) {
  if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0) return false;
  target = strcmp(value, "on") == 0;
  return true;
}

// A number, with what it counts before it: "3", "launches:3".
bool set_failing(const char* value) {
  static const char* const names[] = {"allocations", "launches", "copies", "streams"};
  Failing failing = Failing::allocations;
  if (const char* colon = strchr(value, ':')) {
    size_t length = static_cast<size_t>(colon - value);
    size_t at = 0;
    while (at < std::size(names) && std::string_view(value, length) != names[at]) ++at;
    if (at == std::size(names)) return false;
    failing = static_cast<Failing>(at);
    value = colon + 1;
  }
  uint64_t number = 0;
  if (!parse_count(value, &number)) return false;
  options.fail_at = 0;  // no call is counted as what it is not, meanwhile
  options.failing = failing;
  options.asked = 0;
  options.fail_at = number;
  return true;
}

bool set_number(const char* key, uint64_t number) {
  if (strcmp(key, "depth") == 0) {
    if (number < 1 || number > kDeepest) return false;
    options.depth = static_cast<int>(number);
  } else if (strcmp(key, "redzone") == 0) {
    if (number % kZoneBytes != 0 || number > (uint64_t{1} << 20)) return false;
    options.red_zone = number;
  } else if (strcmp(key, "quarantine") == 0) {
    options.quarantine = number << 20;
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool preloaded() {
  static const bool first = [] {
    const char* list = getenv("LD_PRELOAD");
    return list != nullptr && strstr(list, "libamdhip64.so") != nullptr;
  }();
  return first;
}

bool set_option(const char* key, const char* value) {
  if (strcmp(key, "mode") == 0) return set_mode(value);
  if (strcmp(key, "stacks") == 0) return set_stacks(value);
  if (strcmp(key, "fail") == 0) return set_failing(value);
  if (strcmp(key, "leaks") == 0) return set_switch(options.leaks, value);
  if (strcmp(key, "guards") == 0) return set_switch(options.guards, value);
  if (strcmp(key, "host") == 0) return set_switch(options.host, value);
  if (strcmp(key, "journal") == 0) {
    Locked lock(mutex);
    journal() = value;
    return true;
  }
  uint64_t number = 0;
  return parse_count(value, &number) && set_number(key, number);
}

std::string journal_path() {
  Locked lock(mutex);
  return journal();
}

void read_options() {
  static const char* const keys[][2] = {{"mode", "HIPAUDIT_LEDGER"},
                                        {"stacks", "HIPAUDIT_LEDGER_STACKS"},
                                        {"depth", "HIPAUDIT_LEDGER_DEPTH"},
                                        {"leaks", "HIPAUDIT_LEDGER_LEAKS"},
                                        {"guards", "HIPAUDIT_LEDGER_GUARDS"},
                                        {"host", "HIPAUDIT_LEDGER_HOST"},
                                        {"redzone", "HIPAUDIT_LEDGER_REDZONE"},
                                        {"quarantine", "HIPAUDIT_LEDGER_QUARANTINE"},
                                        {"fail", "HIPAUDIT_LEDGER_FAIL"},
                                        {"journal", "HIPAUDIT_JOURNAL"}};
  options.host = below_is_emulated();
  if (!below_is_emulated()) {
    options.guards = true;
    options.red_zone = kZoneBytes;
    options.quarantine = kQuarantineBytes;
  }
  const char* path = getenv("HIPAUDIT_JOURNAL");
  if ((path == nullptr || *path == '\0') && preloaded()) options.mode = Mode::report;
  for (const auto& [key, variable] : keys) {
    const char* value = getenv(variable);
    if (value == nullptr || *value == '\0') continue;
    if (!set_option(key, value))
      fprintf(stderr, "hipaudit: %s=%s is not understood and was ignored\n", variable, value);
  }
}

void lock_options() { mutex.lock(); }
void unlock_options() { mutex.unlock(); }

}  // namespace hipaudit::ledger
