// What the ledger above the device asks of it: a kernel's parameters, and a word in its findings.
#include "annotation.h"
#include "export.h"
#include "module.h"
#include "settings.h"

namespace hipaudit {
namespace {

std::atomic<Annotator> annotator{nullptr};

}  // namespace

std::string annotation(uint64_t allocation) {
  Annotator ask = annotator.load();
  const char* text = ask != nullptr ? ask(allocation) : nullptr;
  return text != nullptr ? text : "";
}

}  // namespace hipaudit

// One parameter of a kernel, as the ledger lays it out too.
struct hipaudit_parameter {
  uint32_t offset;
  uint32_t size;
  uint32_t is_pointer;
  uint32_t is_const;  // of what it points to
  uint32_t element;   // bytes of one number that it points to; 0: of a pointer to something else
};

static uint32_t bytes_of(const char* element) {
  const char* digits = strpbrk(element, "0123456789");
  return digits != nullptr ? static_cast<uint32_t>(atoi(digits)) / 8 : 0;
}

// Fills in the parameters of a function of a module; the number of them, -1 when they are not
// known.
HIPAUDIT_EXPORT int hipaudit_parameters(const void* function, hipaudit_parameter* out, int room) {
  std::string error;
  const hipaudit::Kernel* kernel =
      function != nullptr
          ? hipaudit::resolve(static_cast<const hipaudit::Function*>(function), &error)
          : nullptr;
  if (kernel == nullptr) return -1;
  const hipaudit::KernelRecord& record = *kernel->record;
  for (unsigned i = 0; i < record.parameter_count && i < static_cast<unsigned>(room); ++i) {
    const hipaudit::ParameterRecord& parameter = record.parameters[i];
    out[i] = {parameter.offset, parameter.size, parameter.kind == hipaudit::kPointer,
              parameter.is_const, bytes_of(parameter.element)};
  }
  return static_cast<int>(record.parameter_count);
}

HIPAUDIT_EXPORT void hipaudit_annotate(hipaudit::Annotator annotator) {
  hipaudit::annotator = annotator;
}
