// Modules: code objects as the host program holds them, built for the current kind of build when
// used.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler.h"
#include "image.h"
#include "settings.h"
#include "source_scan.h"
#include "source_unit.h"

namespace hipaudit {

class Module;

// What hipFunction_t points to.
struct Function {
  Module* module = nullptr;
  std::string name;
};

class Module {
 public:
  explicit Module(SourceUnit unit) : unit_(std::move(unit)) {}
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // The module's image, compiled so; nullptr with the reason in *error when it cannot be had.
  Image* image(Variant variant, std::string* error);
  // The handle of a kernel of that name, or nullptr when there is none.
  Function* function(const std::string& name, std::string* error);
  // Kernels, parameters, templates, as JSON.
  std::string describe(std::string* error);
  const SourceUnit& unit() const { return unit_; }

 private:
  SourceUnit unit_;
  Image* images_[kVariants] = {};
  std::map<std::string, std::unique_ptr<Function>> functions_;
  std::vector<TemplateKernel> templates_;
  std::vector<std::string> launches_;
};

// The kernel that a handle stands for, in the build that the settings ask for.
const Kernel* resolve(const Function* function, std::string* error);

// Paths of the object files of all loaded modules, a line each.
std::string loaded_objects();

// The global variable that holds the address, of any loaded module. False: none does.
bool find_global(uintptr_t address, std::string* name, Global* global);

}  // namespace hipaudit
