#include "module.h"

#include <set>

#include "json.h"
#include "sync.h"

namespace hipaudit {
namespace {

Mutex mutex;

std::set<const Image*>& loaded_images() {
  static auto* set = new std::set<const Image*>;
  return *set;
}

const char* kind_name(unsigned char kind) {
  static const char* const names[] = {"pointer", "int", "float", "struct"};
  return names[kind & 3];
}

// Splits "const float* x, int n" at the commas that separate parameters.
std::vector<std::string> split_parameters(const std::string& signature) {
  std::vector<std::string> parts;
  std::string part;
  int depth = 0;
  for (char c : signature) {
    if (c == '(' || c == '<' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == '>' || c == ']' || c == '}') --depth;
    if (c == ',' && depth == 0) {
      parts.push_back(part);
      part.clear();
    } else if (!part.empty() || c != ' ') {
      part += c;
    }
  }
  if (!part.empty()) parts.push_back(part);
  return parts;
}

// "const float * __restrict__ x" is a type and a name; a parameter may also have no name.
void split_name(const std::string& text, std::string* type, std::string* name) {
  size_t end = text.find('=');
  std::string declared = text.substr(0, end);
  while (!declared.empty() && declared.back() == ' ') declared.pop_back();
  size_t first = declared.size();
  while (first > 0 &&
         (isalnum(static_cast<unsigned char>(declared[first - 1])) || declared[first - 1] == '_'))
    --first;
  *name = first == 0 ? "" : declared.substr(first);
  *type = first == 0 ? declared : declared.substr(0, first);
  while (!type->empty() && type->back() == ' ') type->pop_back();
}

void put_parameters(JsonWriter& json, const KernelRecord& record) {
  std::vector<std::string> written = split_parameters(record.signature);
  json.key("params").open('[');
  for (unsigned i = 0; i < record.parameter_count; ++i) {
    const ParameterRecord& parameter = record.parameters[i];
    std::string type;
    std::string name;
    if (i < written.size()) split_name(written[i], &type, &name);
    if (name.empty()) name = "arg" + std::to_string(i);
    json.open('{').key("name").value(name).key("type").value(type);
    json.key("kind").value(kind_name(parameter.kind)).key("size").value(parameter.size);
    json.key("align").value(parameter.align).key("offset").value(parameter.offset);
    json.key("element").value(parameter.element).key("const").value(parameter.is_const).close('}');
  }
  json.close(']');
}

}  // namespace

Module::~Module() {
  Locked lock(mutex);
  for (Image* image : images_) {
    if (image == nullptr) continue;
    loaded_images().erase(image);
    delete image;
  }
}

Image* Module::image(Variant variant, std::string* error) {
  Image*& slot = images_[variant.index()];
  if (slot != nullptr) return slot;
  Compilation compiled = compile(unit_, variant);
  if (!compiled.good) {
    *error = compiled.log;
    return nullptr;
  }
  templates_ = compiled.templates;
  launches_ = compiled.launches;
  Image* image = Image::load(compiled.object, error);
  if (image == nullptr) return nullptr;
  image->set_source(&unit_);
  Locked lock(mutex);
  loaded_images().insert(image);
  return slot = image;
}

Function* Module::function(const std::string& name, std::string* error) {
  Image* built = image(Variant::of(settings()), error);
  if (built == nullptr) return nullptr;
  const Kernel* kernel = built->find_kernel(name);
  if (kernel == nullptr) {
    auto lowered = built->lowered_names().find(name);
    if (lowered != built->lowered_names().end()) kernel = built->find_kernel(lowered->second);
  }
  if (kernel == nullptr) return nullptr;
  std::unique_ptr<Function>& function = functions_[kernel->symbol];
  if (function == nullptr) function.reset(new Function{this, kernel->symbol});
  return function.get();
}

std::string Module::describe(std::string* error) {
  Image* built = image(Variant::of(settings()), error);
  if (built == nullptr) return "";
  JsonWriter json;
  json.open('[');
  for (const Kernel& kernel : built->kernels()) {
    json.open('{').key("name").value(kernel.name).key("symbol").value(kernel.symbol);
    json.key("template").value(false).key("signature").value(kernel.record->signature);
    put_parameters(json, *kernel.record);
    json.key("shared_bytes").value(kernel.shared_bytes);
    json.key("max_threads").value(kernel.record->max_threads);
    json.key("grid_sync").value(kernel.grid_sync);
    json.key("instrumented").value(built->instrumented()).close('}');
  }
  for (const TemplateKernel& kernel : templates_) {
    json.open('{').key("name").value(kernel.name).key("symbol").value("");
    json.key("template").value(true).key("signature").value(kernel.signature);
    json.key("of_template").value(kernel.parameters);
    json.key("params").open('[').close(']').key("launched_as").open('[');
    std::string plain = kernel.name.substr(kernel.name.rfind(':') + 1);
    for (const std::string& launch : launches_) {
      size_t name = launch.find(plain);
      if (name != std::string::npos && launch.find('<') == name + plain.size()) json.value(launch);
    }
    json.close(']').close('}');
  }
  json.close(']');
  return json.text();
}

const Kernel* resolve(const Function* function, std::string* error) {
  Image* image = function->module->image(Variant::of(settings()), error);
  if (image == nullptr) return nullptr;
  const Kernel* kernel = image->find_kernel(function->name);
  if (kernel == nullptr) *error = "no kernel " + function->name;
  return kernel;
}

std::string loaded_objects() {
  Locked lock(mutex);
  std::string paths;
  for (const Image* image : loaded_images()) paths += image->path() + "\n";
  return paths;
}

bool find_global(uintptr_t address, std::string* name, Global* global) {
  Locked lock(mutex);
  for (const Image* image : loaded_images()) {
    for (const auto& [symbol, candidate] : image->globals()) {
      if (address - candidate.address > candidate.size) continue;
      *name = symbol;
      *global = candidate;
      return true;
    }
  }
  return false;
}

}  // namespace hipaudit
