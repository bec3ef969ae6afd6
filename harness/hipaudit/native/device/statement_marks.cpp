#include "statement_marks.h"

#include <cstdlib>

#include "tokens.h"

namespace hipaudit {
namespace {

// What a line marker says: # LINE "FILE" FLAG..., as the preprocessor writes it.
struct Marker {
  size_t line = 0;
  std::string file;
  bool system = false;
};

bool read_marker(const std::string& text, Marker* out) {
  if (text.rfind("# ", 0) != 0) return false;
  char* rest = nullptr;
  size_t line = strtoul(text.c_str() + 2, &rest, 10);
  size_t open = static_cast<size_t>(rest - text.c_str()) + 1;
  if (text.compare(open - 1, 2, " \"") != 0) return false;
  size_t close = text.rfind('"');
  if (close <= open) return false;
  out->line = line;
  out->file = text.substr(open + 1, close - open - 1);
  out->system = text.find('3', close) != std::string::npos;
  return true;
}

}  // namespace

std::string statement_marks(const std::string& source) {
  Tokens tokens(source);
  std::string out, told;
  Marker place;
  size_t token = 0;
  for (size_t begin = 0, end = 0; begin < source.size(); begin = end + 1) {
    end = source.find('\n', begin);
    if (end == std::string::npos) end = source.size();
    std::string columns;
    int marks = 0;
    for (; token < tokens.size() && tokens.begin(token) < end; ++token) {
      if (!tokens.is(token, ";") && !tokens.is(token, "{") && !tokens.is(token, "}")) continue;
      columns += " " + std::to_string(tokens.begin(token) - begin + 1);
      ++marks;
    }
    if (source[begin] == '#' && read_marker(source.substr(begin, end - begin), &place)) continue;
    if (marks > 1 && !place.system) {
      if (told != place.file) out += "F" + place.file + "\n";
      told = place.file;
      out += std::to_string(place.line) + columns + "\n";
    }
    ++place.line;
  }
  return out;
}

}  // namespace hipaudit
