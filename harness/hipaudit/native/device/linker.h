// Links one relocatable x86-64 object into an Image.
#pragma once

#include <elf.h>

#include <set>
#include <string>
#include <vector>

#include "image.h"

namespace hipaudit {

bool read_file(const std::string& path, std::vector<char>* out);
// Writes a file as a whole or not at all.
bool write_file(const std::string& path, const char* data, size_t size);

// Turns a copy of the object into a file that debuggers can read: debug sections relocated to the
// given section addresses, nothing left to relocate.
void relocate_debug_sections(std::vector<char>& object, const std::vector<uint64_t>& addresses);

// The bytes of an ELF object, with checked access to its parts.
struct ObjectView {
  explicit ObjectView(std::vector<char>& bytes);
  bool valid = false;
  char* data = nullptr;
  Elf64_Ehdr* header = nullptr;
  Elf64_Shdr* sections = nullptr;
  size_t count = 0;
  const char* section_names = nullptr;
  const Elf64_Shdr* symbol_table = nullptr;
  const Elf64_Sym* symbols = nullptr;
  size_t symbol_count = 0;
  const char* symbol_names = nullptr;

  const char* name(const Elf64_Shdr& section) const { return section_names + section.sh_name; }
  const char* name(const Elf64_Sym& symbol) const { return symbol_names + symbol.st_name; }
  size_t index(const Elf64_Shdr& section) const { return static_cast<size_t>(&section - sections); }
};

class Linker {
 public:
  explicit Linker(Image& image) : image_(image) {}
  bool run(const std::string& path, std::string* error);

 private:
  bool place_sections(const ObjectView& object, std::string* error);
  bool resolve_symbols(const ObjectView& object, std::string* error);
  bool apply_relocations(const ObjectView& object, std::string* error);
  bool relocate(const ObjectView& object, const Elf64_Shdr& target, const Elf64_Rela& entry,
                std::string* error);
  void collect_records(const ObjectView& object);
  void collect_globals(const ObjectView& object);
  void add_kernel(const ObjectView& object, const KernelRecord& record);
  void find_reachable(const ObjectView& object, size_t section, Kernel& kernel) const;
  size_t stack_need(const ObjectView& object) const;
  const Elf64_Sym* symbol_at(const ObjectView& object, uintptr_t address) const;
  uint64_t stub_for(size_t symbol);
  uint64_t slot_for(size_t symbol);

  Image& image_;
  std::vector<uint64_t> address_;   // of each section in memory; of TLS sections: in shared memory
  std::vector<uint64_t> value_;     // of each symbol
  std::vector<bool> thread_local_;  // of each symbol: value_ counts from the thread pointer
  std::vector<std::set<size_t>> uses_;         // sections that a section refers to
  std::vector<std::set<size_t>> uses_shared_;  // TLS symbols that a section refers to
  std::set<size_t> uses_grid_sync_;            // sections that call the barrier of the grid
  uint32_t shared_end_ = 0;
  uintptr_t extra_ = 0;         // next free byte for stubs and slots
  std::vector<uint64_t> stub_;  // of each symbol; 0: none yet
  std::vector<uint64_t> slot_;
};

}  // namespace hipaudit
