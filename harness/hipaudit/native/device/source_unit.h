// A program before compilation, and the code object that carries it to hipModuleLoadData.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hipaudit {

struct SourceUnit {
  std::string name;  // as diagnostics and line tables call it
  std::string text;
  std::string arch;
  std::vector<std::pair<std::string, std::string>> headers;  // name, text
  std::vector<std::string> options;                          // as hiprtc got them
  std::vector<std::string> name_expressions;
};

// Magic, length, then the fields: what hiprtcGetCode hands out.
std::string pack(const SourceUnit& unit);

enum class CodeObject { ours, truncated, amd_elf, amd_bundle, unknown };

// What kind of code object the bytes are; `available` of them may be read (0: unknown, trust the
// header).
CodeObject classify(const void* image, size_t available);
// Only for CodeObject::ours.
bool unpack(const void* image, SourceUnit* unit);

}  // namespace hipaudit
