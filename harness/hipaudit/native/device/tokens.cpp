#include "tokens.h"

#include <cctype>
#include <cstring>

namespace hipaudit {
namespace {

bool is_word_start(char c) {
  return isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || (c & 0x80) != 0;
}
bool is_word_part(char c) { return is_word_start(c) || isdigit(static_cast<unsigned char>(c)); }

// End of the literal whose opening quote is at `at`.
size_t skip_quoted(const std::string& s, size_t at) {
  char quote = s[at++];
  while (at < s.size() && s[at] != quote && s[at] != '\n') at += s[at] == '\\' ? 2 : 1;
  return at < s.size() ? at + 1 : s.size();
}

// End of the raw string literal whose opening quote is at `at`.
size_t skip_raw(const std::string& s, size_t at) {
  size_t open = s.find('(', at);
  if (open == std::string::npos) return s.size();
  std::string close = ")" + s.substr(at + 1, open - at - 1) + "\"";
  size_t end = s.find(close, open);
  return end == std::string::npos ? s.size() : end + close.size();
}

bool is_raw_prefix(std::string_view word) {
  return word == "R" || word == "LR" || word == "uR" || word == "UR" || word == "u8R";
}

size_t skip_number(const std::string& s, size_t at) {
  while (at < s.size()) {
    char c = s[at];
    bool exponent = (c == '+' || c == '-') && strchr("eEpP", s[at - 1]) != nullptr;
    if (!is_word_part(c) && c != '.' && c != '\'' && !exponent) break;
    ++at;
  }
  return at;
}

}  // namespace

Tokens::Tokens(const std::string& source) : source_(source) {
  const std::string& s = source_;
  bool line_start = true;
  for (size_t at = 0; at < s.size();) {
    char c = s[at];
    if (isspace(static_cast<unsigned char>(c))) {
      line_start = line_start || c == '\n';
      ++at;
    } else if (c == '#' && line_start) {  // line markers and pragmas
      at = s.find('\n', at);
      if (at == std::string::npos) break;
    } else {
      line_start = false;
      size_t begin = at;
      TokenKind kind = TokenKind::mark;
      if (is_word_start(c)) {
        while (at < s.size() && is_word_part(s[at])) ++at;
        kind = TokenKind::word;
        std::string_view word = std::string_view(s).substr(begin, at - begin);
        if (at < s.size() && s[at] == '"' && is_raw_prefix(word)) {
          at = skip_raw(s, at);
          kind = TokenKind::text;
        }
      } else if (isdigit(static_cast<unsigned char>(c))) {
        at = skip_number(s, at);
        kind = TokenKind::number;
      } else if (c == '"' || c == '\'') {
        at = skip_quoted(s, at);
        kind = TokenKind::text;
      } else if (s.compare(at, 3, "<<<") == 0) {
        at += 3;
      } else if (s.compare(at, 2, "::") == 0) {
        at += 2;
      } else {
        ++at;
      }
      list_.push_back({kind, begin, at});
    }
  }
}

std::string Tokens::join(size_t first, size_t last) const {
  std::string text;
  for (size_t i = first; i < last && i < size(); ++i) {
    if (i > first && list_[i].begin > list_[i - 1].end) text += ' ';
    text += at(i);
  }
  return text;
}

size_t Tokens::skip_brackets(size_t i) const {
  bool angles = is(i, "<");
  std::string closing;
  for (; i < size(); ++i) {
    std::string_view t = at(i);
    if (list_[i].kind != TokenKind::mark) continue;
    if (t == "(") {
      closing += ')';
    } else if (t == "[") {
      closing += ']';
    } else if (t == "{") {
      closing += '}';
    } else if (t == "<" && angles && (closing.empty() || closing.back() == '>')) {
      closing += '>';
    } else if (!closing.empty() && t.size() == 1 && t[0] == closing.back()) {
      closing.pop_back();
      if (closing.empty()) return i + 1;
    }
  }
  return size();
}

}  // namespace hipaudit
