// What the linker tells about an image: kernels, names, globals, shared memory, debug information.
#include <algorithm>
#include <cctype>
#include <cstring>
#include <deque>

#include "linker.h"
#include "worker.h"

namespace hipaudit {
namespace {

// A local __shared__ variable `t` of a kernel `k` has the symbol _ZZ1kvE1t: people know it as t.
std::string variable_name(const std::string& symbol) {
  if (symbol.rfind("_Z", 0) != 0) return symbol;
  size_t end = symbol.size();
  for (size_t digits = end; digits-- > 2;) {
    if (!isdigit(static_cast<unsigned char>(symbol[digits]))) continue;
    size_t first = digits;
    while (first > 2 && isdigit(static_cast<unsigned char>(symbol[first - 1]))) --first;
    for (; first <= digits; ++first) {
      size_t length = strtoul(symbol.c_str() + first, nullptr, 10);
      if (length > 0 && digits + 1 + length <= end &&
          (digits + 1 + length == end || symbol[digits + 1 + length] == '_' ||
           symbol[digits + 1 + length] == 'E'))
        return symbol.substr(digits + 1, length);
    }
  }
  return symbol;
}

template <typename Record>
std::vector<const Record*> records(const ObjectView& object, const std::vector<uint64_t>& address,
                                   const char* section_name) {
  std::vector<const Record*> found;
  for (size_t i = 0; i < object.count; ++i) {
    const Elf64_Shdr& section = object.sections[i];
    if (address[i] == 0 || strcmp(object.name(section), section_name) != 0) continue;
    auto* first = reinterpret_cast<const Record*>(address[i]);
    for (size_t k = 0; k < section.sh_size / sizeof(Record); ++k) found.push_back(first + k);
  }
  return found;
}

uint64_t read_uleb(const unsigned char*& at, const unsigned char* end) {
  uint64_t value = 0;
  for (int shift = 0; at < end; shift += 7) {
    unsigned char byte = *at++;
    value |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

}  // namespace

const Elf64_Sym* Linker::symbol_at(const ObjectView& object, uintptr_t address) const {
  for (size_t i = 1; i < object.symbol_count; ++i) {
    const Elf64_Sym& symbol = object.symbols[i];
    unsigned char type = ELF64_ST_TYPE(symbol.st_info);
    if (type != STT_FUNC && type != STT_OBJECT) continue;
    if (symbol.st_shndx != SHN_UNDEF && value_[i] == address) return &symbol;
  }
  return nullptr;
}

// Frames of all functions of the object together: an upper bound on the depth without recursion.
size_t Linker::stack_need(const ObjectView& object) const {
  size_t sum = 0;
  for (size_t i = 0; i < object.count; ++i) {
    const Elf64_Shdr& section = object.sections[i];
    if (strcmp(object.name(section), ".stack_sizes") != 0) continue;
    auto* at = reinterpret_cast<const unsigned char*>(object.data + section.sh_offset);
    auto* end = at + section.sh_size;
    while (at + 8 < end) {
      at += 8;
      sum += read_uleb(at, end);
    }
  }
  constexpr size_t kUsual = size_t{64} << 10;
  return std::max(kUsual, 2 * sum + kUsual / 2);
}

// Everything that can be reached from the kernel's code by reference: the shared variables there,
// and whether there is a barrier of the grid.
void Linker::find_reachable(const ObjectView& object, size_t section, Kernel& kernel) const {
  std::set<size_t> seen{section};
  std::deque<size_t> open{section};
  std::set<size_t> variables;
  while (!open.empty()) {
    size_t at = open.front();
    open.pop_front();
    variables.insert(uses_shared_[at].begin(), uses_shared_[at].end());
    kernel.grid_sync = kernel.grid_sync || uses_grid_sync_.count(at) != 0;
    for (size_t next : uses_[at])
      if (seen.insert(next).second) open.push_back(next);
  }
  const auto base = static_cast<uint64_t>(kSharedOffset) - kContextDisplacement;
  for (size_t index : variables) {
    const Elf64_Sym& symbol = object.symbols[index];
    if (symbol.st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbol.st_info) == STT_SECTION) continue;
    auto size = static_cast<uint32_t>(symbol.st_size);
    uint32_t align = std::min<uint32_t>(16, size >= 16 ? 16 : size >= 8 ? 8 : 4);
    kernel.shared.push_back(
        {variable_name(object.name(symbol)), static_cast<uint32_t>(value_[index] - base), size});
    kernel.shared_bytes = (kernel.shared_bytes + align - 1) / align * align + size;
  }
  std::sort(kernel.shared.begin(), kernel.shared.end(),
            [](const auto& a, const auto& b) { return a.offset < b.offset; });
}

void Linker::add_kernel(const ObjectView& object, const KernelRecord& record) {
  const Elf64_Sym* symbol = symbol_at(object, reinterpret_cast<uintptr_t>(record.function));
  if (record.thunk == nullptr || symbol == nullptr) return;
  for (const Kernel& known : image_.kernels_)
    if (known.symbol == object.name(*symbol)) return;
  Kernel kernel;
  kernel.image = &image_;
  kernel.name = record.name;
  kernel.symbol = object.name(*symbol);
  kernel.record = &record;
  kernel.thunk = record.thunk;
  kernel.shared_end = kernel.dynamic_offset = shared_end_;
  kernel.stack_bytes = stack_need(object);
  // The thunk's code has the kernel inlined into it, or calls it.
  find_reachable(object, symbol->st_shndx, kernel);
  image_.kernels_.push_back(kernel);
}

void Linker::collect_records(const ObjectView& object) {
  for (const KernelRecord* record : records<KernelRecord>(object, address_, ".hipaudit.kernels"))
    add_kernel(object, *record);
  for (const NameRecord* record : records<NameRecord>(object, address_, ".hipaudit.names"))
    if (const Elf64_Sym* symbol = symbol_at(object, reinterpret_cast<uintptr_t>(record->address)))
      image_.lowered_[record->expression] = object.name(*symbol);
}

void Linker::collect_globals(const ObjectView& object) {
  for (size_t i = 1; i < object.symbol_count; ++i) {
    const Elf64_Sym& symbol = object.symbols[i];
    if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || symbol.st_shndx == SHN_UNDEF) continue;
    if (symbol.st_shndx >= object.count || thread_local_[i]) continue;
    image_.globals_[object.name(symbol)] = {value_[i], symbol.st_size};
  }
}

void relocate_debug_sections(std::vector<char>& bytes, const std::vector<uint64_t>& addresses) {
  ObjectView object(bytes);
  if (!object.valid) return;
  for (size_t i = 0; i < object.count; ++i) {
    Elf64_Shdr& section = object.sections[i];
    if (i < addresses.size()) section.sh_addr = addresses[i];
    if (section.sh_type != SHT_RELA || section.sh_info >= object.count) continue;
    const Elf64_Shdr& target = object.sections[section.sh_info];
    section.sh_type = SHT_PROGBITS;
    section.sh_flags = 0;
    if ((target.sh_flags & SHF_ALLOC) != 0) continue;
    auto* entries = reinterpret_cast<const Elf64_Rela*>(object.data + section.sh_offset);
    for (size_t k = 0; k < section.sh_size / sizeof(Elf64_Rela); ++k) {
      const Elf64_Sym& symbol = object.symbols[ELF64_R_SYM(entries[k].r_info)];
      uint64_t value = symbol.st_value + static_cast<uint64_t>(entries[k].r_addend);
      if (symbol.st_shndx < addresses.size()) value += addresses[symbol.st_shndx];
      size_t width = ELF64_R_TYPE(entries[k].r_info) == R_X86_64_64 ? 8 : 4;
      uint64_t offset = target.sh_offset + entries[k].r_offset;
      if (offset + width <= bytes.size()) memcpy(bytes.data() + offset, &value, width);
    }
  }
  object.header->e_type = ET_EXEC;
}

}  // namespace hipaudit
