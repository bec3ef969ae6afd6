#include "source_scan.h"

#include <map>

#include "tokens.h"

namespace hipaudit {
namespace {

struct Scope {
  enum Kind { named, transparent, type, body } kind;
  std::string name;
};

struct Insertion {
  size_t offset;
  std::string text;
  size_t replaced = 0;  // characters of the source in whose place it comes
};

// The kernel's declaration, taken apart.
struct Declaration {
  bool is_template = false;  // template <class T>
  bool is_instance = false;  // template void k<int>(...), or template <> void k<int>(...)
  std::string name;          // with template arguments
  std::string parameters;    // without default arguments
  std::string of_template;   // its parameters, as written
  std::string signature;     // as written
  std::string bounds = "0";  // first argument of launch_bounds
  size_t after = 0;          // the token behind the parameter list
};

class Scanner {
 public:
  explicit Scanner(const std::string& source) : source_(source), tokens_(source) {}
  ScannedSource run(const std::vector<NameExpression>& names);

 private:
  void open_scope(size_t brace);
  void note_launch(size_t mark);
  size_t kernel(size_t attribute);
  void move_behind_alignas(size_t specifier);
  bool parse(size_t first, Declaration* out) const;
  size_t find_name(size_t i, Declaration* out) const;
  std::string strip_defaults(size_t first, size_t last) const;
  std::string qualified(const std::string& name) const;
  std::string record(const std::string& function, const std::string& name,
                     const std::string& signature, const std::string& bounds);

  const std::string& source_;
  Tokens tokens_;
  std::vector<Scope> scopes_;
  std::vector<Insertion> insertions_;
  std::string tail_;
  ScannedSource result_;
  size_t statement_ = 0;  // first token of the declaration being read
  int records_ = 0;
};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "\"";
}

bool is_attribute_word(std::string_view word) {
  return word == "__attribute__" || word == "alignas" || word == "__declspec" ||
         word == "decltype" || word == "noexcept" || word == "explicit" || word == "requires";
}

std::string Scanner::qualified(const std::string& name) const {
  std::string full;
  for (const Scope& scope : scopes_)
    if ((scope.kind == Scope::named || scope.kind == Scope::type) && !scope.name.empty())
      full += scope.name + "::";
  return full + name;
}

// What kind of braces these are, from the tokens before them.
void Scanner::open_scope(size_t brace) {
  Scope scope{Scope::body, ""};
  size_t first = statement_;
  if (tokens_.is(first, "inline")) ++first;
  if (tokens_.is(first, "namespace")) {
    scope.kind = Scope::named;
    for (size_t i = first + 1; i < brace; ++i) {
      if (tokens_.is(i, "__attribute__")) {
        i = tokens_.skip_brackets(i + 1) - 1;
      } else {
        scope.name += tokens_.at(i);
      }
    }
  } else if (tokens_.is(first, "extern") && brace == first + 2) {
    scope.kind = Scope::transparent;
  } else {
    for (size_t i = first; i < brace; ++i) {
      if (tokens_.is(i, "(") || tokens_.is(i, "=")) break;
      if (tokens_.is(i, "<")) {
        i = tokens_.skip_brackets(i) - 1;
        continue;
      }
      if (!tokens_.is(i, "class") && !tokens_.is(i, "struct") && !tokens_.is(i, "union")) continue;
      scope.kind = Scope::type;
      scope.name = tokens_.at(i + 1);
      break;
    }
  }
  scopes_.push_back(scope);
}

void Scanner::note_launch(size_t mark) {
  size_t first = mark;
  int depth = 0;
  while (first > 0) {
    std::string_view t = tokens_.at(first - 1);
    if (t == ">") ++depth;
    if (t == "<" && --depth < 0) break;
    if (depth == 0 && t != "<" && t != "::" && !tokens_.is_word(first - 1)) break;
    if (depth == 0 && tokens_.is_word(first - 1) && tokens_.is_word(first)) break;
    --first;
  }
  std::string launch = tokens_.join(first, mark);
  for (const std::string& known : result_.launches)
    if (known == launch) return;
  if (!launch.empty()) result_.launches.push_back(launch);
}

std::string Scanner::strip_defaults(size_t first, size_t last) const {
  std::string text;
  for (size_t i = first; i < last;) {
    if (tokens_.is(i, "=")) {
      while (i < last && !tokens_.is(i, ",")) {
        bool bracket = tokens_.is(i, "(") || tokens_.is(i, "{") || tokens_.is(i, "[");
        i = bracket ? tokens_.skip_brackets(i) : i + 1;
      }
      continue;
    }
    text += tokens_.at(i++);
    text += ' ';
  }
  return text;
}

// The declared name: the first word, template arguments included, that a parameter list follows.
size_t Scanner::find_name(size_t i, Declaration* out) const {
  while (i < tokens_.size()) {
    if (tokens_.is(i, ";") || tokens_.is(i, "{")) return tokens_.size();
    if (is_attribute_word(tokens_.at(i)) && tokens_.is(i + 1, "(")) {
      size_t end = tokens_.skip_brackets(i + 1);
      for (size_t k = i; k < end; ++k) {
        if (!tokens_.is(k, "launch_bounds") && !tokens_.is(k, "__launch_bounds__")) continue;
        size_t stop = k + 2;
        while (stop < end && !tokens_.is(stop, ",") && stop + 1 < tokens_.skip_brackets(k + 1))
          stop = tokens_.is(stop, "(") ? tokens_.skip_brackets(stop) : stop + 1;
        out->bounds = "(" + tokens_.join(k + 2, stop) + ")";
      }
      i = end;
    } else if (tokens_.is_word(i)) {
      size_t end = tokens_.is(i + 1, "<") ? tokens_.skip_brackets(i + 1) : i + 1;
      if (tokens_.is(end, "(")) {
        size_t first = i;
        while (first >= 2 && tokens_.is(first - 1, "::") && tokens_.is_word(first - 2)) first -= 2;
        out->name = tokens_.join(first, end);
        return end;
      }
      i = end;
    } else {
      ++i;
    }
  }
  return i;
}

bool Scanner::parse(size_t i, Declaration* out) const {
  while (tokens_.is(i, "template") || tokens_.is(i, "extern")) {
    if (tokens_.is(i, "extern")) {
      i += tokens_.is(i + 1, "\"C\"") ? 2 : 1;
    } else if (!tokens_.is(i + 1, "<")) {
      out->is_instance = true;
      ++i;
    } else if (tokens_.is(i + 2, ">")) {
      out->is_instance = true;
      i += 3;
    } else {
      out->is_template = true;
      size_t first = i + 2;
      i = tokens_.skip_brackets(i + 1);
      out->of_template = tokens_.join(first, i - 1);
    }
  }
  size_t open = find_name(i, out);
  if (open >= tokens_.size()) return false;
  out->after = tokens_.skip_brackets(open);
  out->parameters = strip_defaults(open + 1, out->after - 1);
  out->signature = tokens_.join(open + 1, out->after - 1);
  return true;
}

std::string Scanner::record(const std::string& function, const std::string& name,
                            const std::string& signature, const std::string& bounds) {
  std::string described = "::hipaudit::describe::Kernel<(" + function + ")>";
  return std::string(kRecordStart) +
         " static const "
         "::hipaudit::KernelRecord hipaudit_kernel_" +
         std::to_string(records_++) + " = {(const void*)(" + function + "), " + described +
         "::entry, " + quoted(name) + ", " + quoted(signature) + ", " + described + "::all.list, " +
         described + "::all.count, " + described + "::all.end, " + bounds + ", 0};";
}

// Handles the declaration that the `global` attribute belongs to; returns the token to go on at.
size_t Scanner::kernel(size_t attribute) {
  Declaration found;
  if (!parse(statement_, &found)) return attribute + 1;
  size_t i = found.after;
  while (i < tokens_.size() && !tokens_.is(i, "{") && !tokens_.is(i, ";")) ++i;
  bool defined = tokens_.is(i, "{");
  size_t end = defined ? tokens_.skip_brackets(i) : i + 1;
  if (end > tokens_.size()) return tokens_.size();
  for (size_t k = i; k < end; ++k) move_behind_alignas(k);
  std::string name = qualified(found.name);
  if (found.is_template) {
    if (defined) result_.templates.push_back({name, found.of_template, found.signature});
  } else if (defined || found.is_instance) {
    bool in_type = !scopes_.empty() && scopes_.back().kind == Scope::type;
    std::string callee = in_type ? "::" + name : found.name;
    std::string function = "static_cast<void (*)(" + found.parameters + ")>(&" + callee + ")";
    std::string bounds = found.is_instance ? "0" : found.bounds;
    std::string text = record(function, name, found.signature, bounds);
    if (in_type) {
      tail_ += "\n" + text;
    } else {
      insertions_.push_back({tokens_.end(end - 1), text});
    }
  }
  statement_ = end;
  return end;
}

// `__shared__ alignas(16) float x` is HIP; thread_local, which we have in __shared__, has to stand
// behind an alignas.
void Scanner::move_behind_alignas(size_t specifier) {
  if (!tokens_.is(specifier, "thread_local") || !tokens_.is(specifier + 1, "alignas")) return;
  size_t begin = tokens_.begin(specifier);
  size_t end = specifier + 1;
  while (tokens_.is(end, "alignas")) end = tokens_.skip_brackets(end + 1);
  insertions_.push_back({begin, "", tokens_.end(specifier) - begin});
  insertions_.push_back({tokens_.end(end - 1), " thread_local"});
}

ScannedSource Scanner::run(const std::vector<NameExpression>& names) {
  for (size_t i = 0; i < tokens_.size();) {
    bool in_body = !scopes_.empty() && scopes_.back().kind == Scope::body;
    if (tokens_.is(i, "__attribute__") && tokens_.is(i + 3, "global") && !in_body) {
      i = kernel(i);
      continue;
    }
    if (tokens_.is(i, "<<<")) note_launch(i);
    move_behind_alignas(i);
    if (tokens_.is(i, "{")) {
      open_scope(i);
      statement_ = i + 1;
    } else if (tokens_.is(i, "}")) {
      if (!scopes_.empty()) scopes_.pop_back();
      statement_ = i + 1;
    } else if (tokens_.is(i, ";")) {
      statement_ = i + 1;
    }
    ++i;
  }
  int number = 0;
  for (const NameExpression& name : names) {
    size_t first = name.code.find_first_not_of(" &");
    std::string named = first == std::string::npos ? name.code : name.code.substr(first);
    tail_ +=
        "\n# 1 \"<name expression>\"\n__attribute__((device, used, "
        "section(\".hipaudit.names\"))) static const ::hipaudit::NameRecord hipaudit_name_" +
        std::to_string(number++) + " = {" + quoted(name.text) + ", (const void*)(&" + named + ")};";
    tail_ += record("&" + named, name.text.substr(name.text.find_first_not_of(" &")), "", "0");
  }
  size_t at = 0;
  for (const Insertion& insertion : insertions_) {
    result_.text.append(source_, at, insertion.offset - at);
    result_.text += insertion.text;
    at = insertion.offset + insertion.replaced;
  }
  result_.text.append(source_, at, std::string::npos);
  result_.text += tail_ + "\n";
  return std::move(result_);
}

}  // namespace

ScannedSource scan_source(const std::string& source, const std::vector<NameExpression>& names) {
  return Scanner(source).run(names);
}

}  // namespace hipaudit
