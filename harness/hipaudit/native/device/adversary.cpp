#include "adversary.h"

#include <cstdlib>
#include <string>

namespace hipaudit {
namespace {

bool parse_random(const std::string& word, Adversary* out) {
  constexpr char kRandom[] = "random=";
  const size_t length = sizeof kRandom - 1;
  if (word.compare(0, length, kRandom) != 0 || word.size() == length) return false;
  char* end = nullptr;
  out->shift = Shift::random;
  out->seed = strtoull(word.c_str() + length, &end, 10);
  return *end == '\0';
}

bool take(const std::string& word, Adversary* out) {
  if (word == "up")
    out->shift = Shift::up;
  else if (word == "down")
    out->shift = Shift::down;
  else if (word == "alternating")
    out->shift = Shift::alternating;
  else if (word == "uncontracted")
    out->contract = false;
  else if (word == "flush")
    out->flush = true;
  else
    return parse_random(word, out);
  return true;
}

}  // namespace

bool parse_adversary(const char* text, Adversary* out) {
  *out = Adversary{};
  std::string rest = text;
  while (!rest.empty()) {
    size_t comma = rest.find(',');
    if (!take(rest.substr(0, comma), out)) return false;
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
  }
  return true;
}

}  // namespace hipaudit
