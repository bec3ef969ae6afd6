#include "substitution.h"

#include <string>
#include <vector>

#include "linker.h"
#include "settings.h"

namespace hipaudit {
namespace {

bool read_text(const std::string& path, std::string* out) {
  std::vector<char> bytes;
  if (!read_file(path, &bytes)) return false;
  out->assign(bytes.begin(), bytes.end());
  return true;
}

bool replace(std::string* text, const std::string& original, const std::string& mutant) {
  size_t at = text->find(original);
  if (at == std::string::npos) return false;
  text->replace(at, original.size(), mutant);
  return true;
}

}  // namespace

bool substitute(SourceUnit* unit) {
  std::string folder = settings().substitute;
  std::string original;
  std::string mutant;
  if (folder.empty() || !read_text(folder + "/original", &original) || original.empty() ||
      !read_text(folder + "/mutant", &mutant))
    return false;
  bool found = replace(&unit->text, original, mutant);
  for (auto& [name, text] : unit->headers) found |= replace(&text, original, mutant);
  return found;
}

void mark_substitution(bool compiled) {
  std::string path = settings().substitute + (compiled ? "/used" : "/refused");
  write_file(path, "", 0);
}

}  // namespace hipaudit
