#include "linker.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <deque>

#include "check/symbols.h"
#include "kernel_abi.h"
#include "math.h"
#include "worker.h"

namespace hipaudit {
namespace {

constexpr size_t kPage = 4096;
// Between two __shared__ variables, so that a step out of one does not lead into the next: a row of
// most arrays, less where there are many variables. Not a multiple of a page, because arrays at
// equal offsets would compete for the same sets of the first-level cache.
size_t shared_gap(size_t variables) {
  constexpr size_t kLine = 64;
  constexpr size_t kMost = 4096;
  constexpr size_t kTogether = 32768;
  return kLine + std::min(kMost, kTogether / (variables + 1) / kLine * kLine);
}

uint64_t align_up(uint64_t value, uint64_t align) {
  return align <= 1 ? value : (value + align - 1) / align * align;
}

bool starts_with(const char* text, const char* prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

// Unwind tables describe how to throw through kernels, which nobody does.
bool is_loaded(const ObjectView& object, const Elf64_Shdr& section) {
  return (section.sh_flags & SHF_ALLOC) != 0 && !starts_with(object.name(section), ".eh_frame") &&
         !starts_with(object.name(section), ".gcc_except_table");
}

bool is_code(const Elf64_Shdr& section) { return (section.sh_flags & SHF_EXECINSTR) != 0; }
bool is_shared(const Elf64_Shdr& section) { return (section.sh_flags & SHF_TLS) != 0; }

void* find_in(const Symbol* table, size_t count, const char* name) {
  for (size_t i = 0; i < count; ++i)
    if (strcmp(table[i].name, name) == 0) return table[i].address;
  return nullptr;
}

void* find_library_symbol(const char* name) {
  if (void* found = find_in(kCoreSymbols, kCoreSymbolCount, name)) return found;
  if (void* found = find_in(kCheckSymbols, kCheckSymbolCount, name)) return found;
  if (void* found = find_in(kUndefinedSymbols, kUndefinedSymbolCount, name)) return found;
  return find_in(kMathSymbols, kMathSymbolCount, name);
}

}  // namespace

ObjectView::ObjectView(std::vector<char>& bytes) : data(bytes.data()) {
  if (bytes.size() < sizeof(Elf64_Ehdr) || memcmp(data, ELFMAG, SELFMAG) != 0) return;
  header = reinterpret_cast<Elf64_Ehdr*>(data);
  if (header->e_machine != EM_X86_64 || header->e_shentsize != sizeof(Elf64_Shdr)) return;
  count = header->e_shnum;
  if (header->e_shoff + count * sizeof(Elf64_Shdr) > bytes.size()) return;
  sections = reinterpret_cast<Elf64_Shdr*>(data + header->e_shoff);
  section_names = data + sections[header->e_shstrndx].sh_offset;
  for (size_t i = 0; i < count; ++i) {
    const Elf64_Shdr& section = sections[i];
    if (section.sh_type != SHT_NOBITS && section.sh_offset + section.sh_size > bytes.size()) return;
    if (section.sh_type != SHT_SYMTAB) continue;
    symbol_table = &section;
    symbols = reinterpret_cast<const Elf64_Sym*>(data + section.sh_offset);
    symbol_count = section.sh_size / sizeof(Elf64_Sym);
    symbol_names = data + sections[section.sh_link].sh_offset;
  }
  valid = symbols != nullptr;
}

bool Linker::run(const std::string& path, std::string* error) {
  std::vector<char> bytes;
  if (!read_file(path, &bytes)) {
    *error = "cannot read " + path;
    return false;
  }
  ObjectView object(bytes);
  if (!object.valid) {
    *error = path + " is not an object file of this machine";
    return false;
  }
  if (!place_sections(object, error) || !resolve_symbols(object, error) ||
      !apply_relocations(object, error))
    return false;
  image_.section_addresses_.assign(object.count, 0);
  for (size_t i = 0; i < object.count; ++i)
    if (is_loaded(object, object.sections[i]) && !is_shared(object.sections[i]))
      image_.section_addresses_[i] = image_.debug_address(address_[i]);
  collect_globals(object);
  collect_records(object);
  size_t code_pages = align_up(image_.code_size_, kPage);
  return mprotect(reinterpret_cast<void*>(image_.code_), code_pages, PROT_READ | PROT_EXEC) == 0;
}

// Code first, stubs behind it, then everything else. Constants stay writable: hipMemcpyToSymbol.
bool Linker::place_sections(const ObjectView& object, std::string* error) {
  address_.assign(object.count, 0);
  uint64_t end = 0;
  size_t variables = 0;
  for (size_t i = 0; i < object.count; ++i)
    variables += is_loaded(object, object.sections[i]) && is_shared(object.sections[i]);
  const uint64_t gap = shared_gap(variables);
  uint64_t shared = gap;
  for (int pass = 0; pass < 2; ++pass) {
    for (size_t i = 0; i < object.count; ++i) {
      const Elf64_Shdr& section = object.sections[i];
      if (!is_loaded(object, section)) continue;
      if (is_shared(section)) {
        if (pass == 1) continue;
        address_[i] = shared = align_up(shared, std::max<uint64_t>(section.sh_addralign, 16));
        shared += section.sh_size + gap;
      } else if (is_code(section) == (pass == 0)) {
        address_[i] = end = align_up(end, section.sh_addralign);
        end += section.sh_size;
      }
    }
    if (pass == 0) {
      extra_ = align_up(end, 16);
      end = extra_ + object.symbol_count * 16;  // a stub and a slot for every symbol at the most
      end = align_up(end, kPage);
      image_.code_size_ = end;
    }
  }
  if (shared > kSharedSpan / 2) {
    *error =
        "the __shared__ variables of the source sum up to " + std::to_string(shared) + " bytes";
    return false;
  }
  shared_end_ = static_cast<uint32_t>(align_up(shared, 64));
  image_.span_ = align_up(end + 1, kPage);
  void* memory =
      mmap(nullptr, image_.span_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    *error = "out of memory";
    return false;
  }
  image_.base_ = image_.code_ = reinterpret_cast<uintptr_t>(memory);
  extra_ += image_.base_;
  for (size_t i = 0; i < object.count; ++i) {
    const Elf64_Shdr& section = object.sections[i];
    if (!is_loaded(object, section) || is_shared(section)) continue;
    address_[i] += image_.base_;
    if (section.sh_type != SHT_NOBITS)
      memcpy(reinterpret_cast<void*>(address_[i]), object.data + section.sh_offset,
             section.sh_size);
  }
  return true;
}

bool Linker::resolve_symbols(const ObjectView& object, std::string* error) {
  value_.assign(object.symbol_count, 0);
  thread_local_.assign(object.symbol_count, false);
  stub_.assign(object.symbol_count, 0);
  slot_.assign(object.symbol_count, 0);
  const auto shared_base = static_cast<uint64_t>(kSharedOffset) - kContextDisplacement;
  std::string missing;
  for (size_t i = 1; i < object.symbol_count; ++i) {
    const Elf64_Sym& symbol = object.symbols[i];
    bool is_tls = ELF64_ST_TYPE(symbol.st_info) == STT_TLS;
    if (symbol.st_shndx == SHN_ABS) {
      value_[i] = symbol.st_value;
    } else if (symbol.st_shndx != SHN_UNDEF && symbol.st_shndx < object.count) {
      const Elf64_Shdr& section = object.sections[symbol.st_shndx];
      thread_local_[i] = is_shared(section);
      value_[i] = address_[symbol.st_shndx] + symbol.st_value;
      if (thread_local_[i]) value_[i] += shared_base;
    } else if (strcmp(object.name(symbol), "hipaudit_context") == 0) {
      thread_local_[i] = true;
      value_[i] = -static_cast<uint64_t>(kContextDisplacement);
    } else if (is_tls) {  // extern __shared__: all of them begin at the same place
      thread_local_[i] = true;
      value_[i] = shared_base + shared_end_;
    } else if (void* found = find_library_symbol(object.name(symbol))) {
      if (starts_with(object.name(symbol), "__tsan_") &&
          !starts_with(object.name(symbol), "__tsan_init"))
        image_.instrumented_ = true;
      value_[i] = reinterpret_cast<uint64_t>(found);
    } else if (ELF64_ST_BIND(symbol.st_info) != STB_WEAK && object.name(symbol)[0] != '\0') {
      missing += missing.empty() ? "" : ", ";
      missing += object.name(symbol);
    }
  }
  if (missing.empty()) return true;
  *error = "the kernel uses what the emulated device does not offer: " + missing;
  return false;
}

bool Linker::apply_relocations(const ObjectView& object, std::string* error) {
  uses_.assign(object.count, {});
  uses_shared_.assign(object.count, {});
  for (size_t i = 0; i < object.count; ++i) {
    const Elf64_Shdr& section = object.sections[i];
    if (section.sh_type != SHT_RELA || section.sh_info >= object.count) continue;
    const Elf64_Shdr& target = object.sections[section.sh_info];
    if (!is_loaded(object, target) || is_shared(target)) continue;
    auto* entries = reinterpret_cast<const Elf64_Rela*>(object.data + section.sh_offset);
    for (size_t k = 0; k < section.sh_size / sizeof(Elf64_Rela); ++k)
      if (!relocate(object, target, entries[k], error)) return false;
  }
  return true;
}

// A jump to a function of the library, which may be further away than a call reaches.
uint64_t Linker::stub_for(size_t symbol) {
  if (stub_[symbol] != 0) return stub_[symbol];
  uint64_t slot = slot_for(symbol);
  auto* code = reinterpret_cast<unsigned char*>(extra_);
  int32_t distance = static_cast<int32_t>(slot - (extra_ + 6));
  code[0] = 0xff;  // jmp *slot(%rip)
  code[1] = 0x25;
  memcpy(code + 2, &distance, 4);
  extra_ += 8;
  return stub_[symbol] = reinterpret_cast<uint64_t>(code);
}

// Where the symbol's value can be read, for references through the global offset table.
uint64_t Linker::slot_for(size_t symbol) {
  if (slot_[symbol] != 0) return slot_[symbol];
  memcpy(reinterpret_cast<void*>(extra_), &value_[symbol], 8);
  extra_ += 8;
  return slot_[symbol] = extra_ - 8;
}

bool Linker::relocate(const ObjectView& object, const Elf64_Shdr& target, const Elf64_Rela& entry,
                      std::string* error) {
  size_t index = ELF64_R_SYM(entry.r_info);
  const Elf64_Sym& symbol = object.symbols[index];
  size_t from = object.index(target);
  uint64_t place = address_[from] + entry.r_offset;
  if (symbol.st_shndx != SHN_UNDEF && symbol.st_shndx < object.count)
    uses_[from].insert(symbol.st_shndx);
  if (thread_local_[index]) uses_shared_[from].insert(index);
  if (strcmp(object.name(symbol), "hipaudit_grid_sync") == 0) uses_grid_sync_.insert(from);
  auto addend = static_cast<uint64_t>(entry.r_addend);
  uint64_t value = value_[index];
  uint32_t type = ELF64_R_TYPE(entry.r_info);
  int64_t narrow = 0;
  switch (type) {
    case R_X86_64_NONE:
      return true;
    case R_X86_64_64:
      value += addend;
      memcpy(reinterpret_cast<void*>(place), &value, 8);
      return true;
    case R_X86_64_PC64:
      value += addend - place;
      memcpy(reinterpret_cast<void*>(place), &value, 8);
      return true;
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
      narrow = static_cast<int64_t>(value + addend - place);
      if (narrow != static_cast<int32_t>(narrow) && symbol.st_shndx == SHN_UNDEF)
        narrow = static_cast<int64_t>(stub_for(index) + addend - place);
      break;
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX:
    case R_X86_64_GOTTPOFF:
      narrow = static_cast<int64_t>(slot_for(index) + addend - place);
      break;
    case R_X86_64_TPOFF32:
    case R_X86_64_32S:
      narrow = static_cast<int64_t>(value + addend);
      break;
    case R_X86_64_32:
      narrow = static_cast<int64_t>(value + addend);
      if (narrow >= 0 && narrow <= 0xffffffff) {
        memcpy(reinterpret_cast<void*>(place), &narrow, 4);
        return true;
      }
      break;
    default:
      *error = "relocation of type " + std::to_string(type) + " against " + object.name(symbol);
      return false;
  }
  if (narrow != static_cast<int32_t>(narrow)) {
    *error = std::string("a reference to ") + object.name(symbol) + " is out of reach";
    return false;
  }
  memcpy(reinterpret_cast<void*>(place), &narrow, 4);
  return true;
}

}  // namespace hipaudit
