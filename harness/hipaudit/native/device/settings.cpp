#include "settings.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "check/checker.h"
#include "export.h"
#include "profile.h"
#include "sync.h"

namespace hipaudit {
namespace {

Mutex mutex;

// Two hexadecimal digits, or nothing.
bool parse_byte(const char* text, int* out) {
  char* end = nullptr;
  *out = *text == '\0' ? -1 : static_cast<int>(strtol(text, &end, 16));
  return *out == -1 || (*end == '\0' && *out >= 0 && *out <= 0xff);
}

bool parse_count(const char* text, long low, long high, long* out) {
  char* end = nullptr;
  long value = strtol(text, &end, 10);
  if (end == text || *end != '\0' || value < low || value > high) return false;
  *out = value;
  return true;
}

// Hexadecimal numbers separated by commas; none is a list too.
bool parse_places(const char* text, std::vector<uint64_t>* out) {
  std::vector<uint64_t> places;
  while (*text != '\0') {
    char* end = nullptr;
    places.push_back(strtoull(text, &end, 16));
    if (end == text || (*end != ',' && *end != '\0')) return false;
    text = *end == ',' ? end + 1 : end;
  }
  *out = places;
  return true;
}

bool assign(Settings& target, const char* key, const char* value) {
  long count = 0;
  if (strcmp(key, "arch") == 0) {
    if (find_profile(value) == nullptr) return false;
    target.arch = value;
  } else if (strcmp(key, "build") == 0) {
    if (strcmp(value, "plain") != 0 && strcmp(value, "checked") != 0) return false;
    target.build = strcmp(value, "checked") == 0 ? Build::checked : Build::plain;
  } else if (strcmp(key, "workers") == 0) {
    if (!parse_count(value, 0, 1024, &count)) return false;
    target.workers = static_cast<int>(count);
  } else if (strcmp(key, "timeout") == 0) {
    char* end = nullptr;
    double seconds = strtod(value, &end);
    if (end == value || *end != '\0' || !(seconds > 0)) return false;
    target.timeout_s = seconds;
  } else if (strcmp(key, "order_seed") == 0) {
    if (!parse_count(value, 0, __LONG_MAX__, &count)) return false;
    target.order_seed = static_cast<uint64_t>(count);
  } else if (strcmp(key, "adversarial") == 0) {
    Adversary adversary;
    if (!parse_adversary(value, &adversary)) return false;
    target.adversary = adversary;
  } else if (strcmp(key, "poison") == 0) {
    int byte = -1;
    if (!parse_byte(value, &byte)) return false;
    target.poison = byte;
  } else if (strcmp(key, "hygiene") == 0) {
    if (*value != '\0' && !parse_count(value, 0, 1, &count)) return false;
    target.hygiene = count != 0;
  } else if (strcmp(key, "ignored_barriers") == 0) {
    return parse_places(value, &target.ignored_barriers);
  } else if (strcmp(key, "completed_barriers") == 0) {
    return parse_places(value, &target.completed_barriers);
  } else if (strcmp(key, "journal") == 0) {
    target.journal = value;
  } else if (strcmp(key, "substitute") == 0) {
    target.substitute = value;
  } else {
    return false;
  }
  return true;
}

Settings from_environment() {
  static const char* const keys[][2] = {{"arch", "HIPAUDIT_ARCH"},
                                        {"build", "HIPAUDIT_BUILD"},
                                        {"workers", "HIPAUDIT_WORKERS"},
                                        {"timeout", "HIPAUDIT_TIMEOUT"},
                                        {"poison", "HIPAUDIT_POISON"},
                                        {"order_seed", "HIPAUDIT_ORDER_SEED"},
                                        {"journal", "HIPAUDIT_JOURNAL"},
                                        {"adversarial", "HIPAUDIT_ADVERSARIAL"},
                                        {"substitute", "HIPAUDIT_SUBSTITUTE"}};
  Settings initial;
  for (const auto& [key, variable] : keys) {
    const char* value = getenv(variable);
    if (value == nullptr || *value == '\0') continue;
    if (!assign(initial, key, value))
      fprintf(stderr, "hipaudit: %s=%s is not understood and was ignored\n", variable, value);
  }
  return initial;
}

Settings& current() {
  static Settings* value = new Settings(from_environment());
  return *value;
}

}  // namespace

Settings settings() {
  Locked lock(mutex);
  return current();
}

bool set_setting(const char* key, const char* value) {
  Locked lock(mutex);
  return assign(current(), key, value);
}

const char* build_name(Build build) { return build == Build::checked ? "checked" : "plain"; }

}  // namespace hipaudit

// Memory is followed from the moment checking is asked for.
__attribute__((constructor)) static void start_as_the_environment_says() {
  if (hipaudit::settings().build == hipaudit::Build::checked) hipaudit::start_checking();
}

HIPAUDIT_EXPORT int hipaudit_set(const char* key, const char* value) {
  if (key != nullptr && value != nullptr && strcmp(key, "build") == 0 &&
      strcmp(value, "checked") == 0 && !hipaudit::start_checking())
    return 1;
  return key != nullptr && value != nullptr && hipaudit::set_setting(key, value) ? 0 : 1;
}
