// A compiled kernel object in memory: the result of our own small ELF linker.
//
// The system's dynamic linker would not do: it has no room for 64 KiB of thread-local storage in
// the initial-exec model, and it would resolve what a kernel leaves undefined against the whole
// process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hipaudit/kernel_record.h"

namespace hipaudit {

struct SharedVariable {
  std::string name;
  uint32_t offset = 0;  // in the worker's shared memory
  uint32_t size = 0;
};

class Image;
struct SourceUnit;

struct Kernel {
  const Image* image = nullptr;
  std::string name;    // as in the source
  std::string symbol;  // mangled
  const KernelRecord* record = nullptr;
  void (*thunk)(const void*) = nullptr;
  std::vector<SharedVariable> shared;  // static, those that this kernel can reach
  uint32_t shared_bytes = 0;           // their sum as a GPU's compiler would lay them out
  uint32_t shared_end = 0;             // end of everything static in shared memory
  uint32_t dynamic_offset = 0;         // of extern __shared__ arrays
  size_t stack_bytes = 0;              // for one thread
  bool grid_sync = false;              // it can reach a barrier of the grid
};

struct Global {
  uintptr_t address = 0;
  size_t size = 0;
};

class Image {
 public:
  // Links the object file. On failure returns nullptr and says why in *error.
  static Image* load(const std::string& object_path, std::string* error);
  ~Image();

  bool is_code(uintptr_t address) const { return address - code_ < code_size_; }
  bool is_data(uintptr_t address) const { return address - base_ < span_ && !is_code(address); }
  uintptr_t code_begin() const { return code_; }
  size_t code_bytes() const { return code_size_; }
  const std::string& path() const { return path_; }  // of the object file
  uint64_t serial() const { return serial_; }        // no two images of a process share it
  // True when the code calls the checkers before its accesses.
  bool instrumented() const { return instrumented_; }
  // The address as the line table of debug_object() counts it.
  uint64_t debug_address(uintptr_t address) const { return address - base_ + kDebugBase; }
  // An ELF file with relocated line tables; written when first asked for. Empty on failure.
  std::string debug_object() const;
  // The program that it was compiled from; it must outlive the image.
  void set_source(const SourceUnit* unit) { unit_ = unit; }
  // By symbol, else by name as in the source.
  const Kernel* find_kernel(const std::string& name) const;

  const std::vector<Kernel>& kernels() const { return kernels_; }
  const std::map<std::string, Global>& globals() const { return globals_; }
  // Name expression to symbol.
  const std::map<std::string, std::string>& lowered_names() const { return lowered_; }

 private:
  friend class Linker;
  static constexpr uint64_t kDebugBase = 0x400000;
  Image() = default;
  void write_source() const;
  uintptr_t base_ = 0;
  size_t span_ = 0;
  uintptr_t code_ = 0;
  size_t code_size_ = 0;
  uint64_t serial_ = 0;
  bool instrumented_ = false;
  const SourceUnit* unit_ = nullptr;
  std::string path_;
  std::vector<Kernel> kernels_;
  std::map<std::string, Global> globals_;
  std::map<std::string, std::string> lowered_;
  std::vector<uint64_t> section_addresses_;  // by section index; 0: not loaded
};

}  // namespace hipaudit
