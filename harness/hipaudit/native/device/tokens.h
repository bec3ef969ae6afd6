// The tokens of a preprocessed C++ source.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hipaudit {

enum class TokenKind : unsigned char { word, number, text, mark };

struct Token {
  TokenKind kind;
  size_t begin;
  size_t end;
};

class Tokens {
 public:
  explicit Tokens(const std::string& source);
  size_t size() const { return list_.size(); }
  std::string_view at(size_t i) const {
    if (i >= list_.size()) return {};
    return std::string_view(source_).substr(list_[i].begin, list_[i].end - list_[i].begin);
  }
  bool is(size_t i, std::string_view text) const { return at(i) == text; }
  bool is_word(size_t i) const { return i < list_.size() && list_[i].kind == TokenKind::word; }
  size_t begin(size_t i) const { return list_[i].begin; }
  size_t end(size_t i) const { return list_[i].end; }
  // Source text of tokens [first, last), white space folded.
  std::string join(size_t first, size_t last) const;
  // Index behind the bracket that closes the one at i; size() if none does. Angle brackets are
  // counted only when the one at i is an angle bracket.
  size_t skip_brackets(size_t i) const;

 private:
  const std::string& source_;
  std::vector<Token> list_;
};

}  // namespace hipaudit
