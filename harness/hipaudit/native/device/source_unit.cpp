#include "source_unit.h"

#include <cstdint>
#include <cstring>

namespace hipaudit {
namespace {

constexpr char kMagic[8] = {'H', 'I', 'P', 'A', 'U', 'D', 'I', '1'};
constexpr size_t kHeader = sizeof kMagic + sizeof(uint64_t);

void put(std::string& out, const std::string& field) {
  uint64_t size = field.size();
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  out += field;
}

void put(std::string& out, const std::vector<std::string>& list) {
  uint64_t count = list.size();
  out.append(reinterpret_cast<const char*>(&count), sizeof count);
  for (const std::string& field : list) put(out, field);
}

class Reader {
 public:
  Reader(const char* at, const char* end) : at_(at), end_(end) {}

  uint64_t number() {
    uint64_t value = 0;
    if (static_cast<size_t>(end_ - at_) < sizeof value) {
      good = false;
      return 0;
    }
    memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  std::string field() {
    uint64_t size = number();
    if (size > static_cast<uint64_t>(end_ - at_)) good = false;
    if (!good) return "";
    at_ += size;
    return std::string(at_ - size, size);
  }

  std::vector<std::string> list() {
    std::vector<std::string> fields;
    for (uint64_t count = number(); good && count > 0; --count) fields.push_back(field());
    return fields;
  }

  bool good = true;

 private:
  const char* at_;
  const char* end_;
};

}  // namespace

std::string pack(const SourceUnit& unit) {
  std::string body;
  put(body, unit.name);
  put(body, unit.text);
  put(body, unit.arch);
  put(body, unit.options);
  put(body, unit.name_expressions);
  std::vector<std::string> names;
  std::vector<std::string> texts;
  for (const auto& [name, text] : unit.headers) {
    names.push_back(name);
    texts.push_back(text);
  }
  put(body, names);
  put(body, texts);
  std::string out(kMagic, sizeof kMagic);
  uint64_t size = kHeader + body.size();
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  return out + body;
}

CodeObject classify(const void* image, size_t available) {
  if (image == nullptr) return CodeObject::unknown;
  auto* bytes = static_cast<const char*>(image);
  if (available != 0 && available < kHeader) return CodeObject::truncated;
  if (memcmp(bytes, "\177ELF", 4) == 0) return CodeObject::amd_elf;
  if (memcmp(bytes, "__CLANG_", 8) == 0 || memcmp(bytes, "CCOB", 4) == 0)
    return CodeObject::amd_bundle;
  if (memcmp(bytes, kMagic, sizeof kMagic) != 0) return CodeObject::unknown;
  uint64_t size = 0;
  memcpy(&size, bytes + sizeof kMagic, sizeof size);
  return available != 0 && size > available ? CodeObject::truncated : CodeObject::ours;
}

bool unpack(const void* image, SourceUnit* unit) {
  auto* bytes = static_cast<const char*>(image);
  uint64_t size = 0;
  memcpy(&size, bytes + sizeof kMagic, sizeof size);
  if (size < kHeader) return false;
  Reader reader(bytes + kHeader, bytes + size);
  unit->name = reader.field();
  unit->text = reader.field();
  unit->arch = reader.field();
  unit->options = reader.list();
  unit->name_expressions = reader.list();
  std::vector<std::string> names = reader.list();
  std::vector<std::string> texts = reader.list();
  if (!reader.good || names.size() != texts.size()) return false;
  for (size_t i = 0; i < names.size(); ++i) unit->headers.emplace_back(names[i], texts[i]);
  return true;
}

}  // namespace hipaudit
