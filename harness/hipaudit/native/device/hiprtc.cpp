// hiprtc's C ABI.
#include <cstring>
#include <memory>
#include <string>

#include "compiler.h"
#include "export.h"
#include "image.h"
#include "settings.h"
#include "substitution.h"

namespace {

using namespace hipaudit;

enum hiprtcResult {
  HIPRTC_SUCCESS = 0,
  HIPRTC_ERROR_OUT_OF_MEMORY = 1,
  HIPRTC_ERROR_PROGRAM_CREATION_FAILURE = 2,
  HIPRTC_ERROR_INVALID_INPUT = 3,
  HIPRTC_ERROR_INVALID_PROGRAM = 4,
  HIPRTC_ERROR_INVALID_OPTION = 5,
  HIPRTC_ERROR_COMPILATION = 6,
  HIPRTC_ERROR_BUILTIN_OPERATION_FAILURE = 7,
  HIPRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION = 8,
  HIPRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION = 9,
  HIPRTC_ERROR_NAME_EXPRESSION_NOT_VALID = 10,
  HIPRTC_ERROR_INTERNAL_ERROR = 11,
  HIPRTC_ERROR_LINKING = 100,
};

struct Program {
  SourceUnit unit;
  bool compiled = false;
  std::string log;
  std::string code;
  std::unique_ptr<Image> image;  // for lowered names; linked when first asked for
  std::string object;
};

Program* program_of(void* handle) { return static_cast<Program*>(handle); }

const char* kResultNames[] = {"HIPRTC_SUCCESS",
                              "HIPRTC_ERROR_OUT_OF_MEMORY",
                              "HIPRTC_ERROR_PROGRAM_CREATION_FAILURE",
                              "HIPRTC_ERROR_INVALID_INPUT",
                              "HIPRTC_ERROR_INVALID_PROGRAM",
                              "HIPRTC_ERROR_INVALID_OPTION",
                              "HIPRTC_ERROR_COMPILATION",
                              "HIPRTC_ERROR_BUILTIN_OPERATION_FAILURE",
                              "HIPRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION",
                              "HIPRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION",
                              "HIPRTC_ERROR_NAME_EXPRESSION_NOT_VALID",
                              "HIPRTC_ERROR_INTERNAL_ERROR"};

}  // namespace

HIPAUDIT_EXPORT const char* hiprtcGetErrorString(int result) {
  if (result == HIPRTC_ERROR_LINKING) return "HIPRTC_ERROR_LINKING";
  bool known = result >= 0 && result <= HIPRTC_ERROR_INTERNAL_ERROR;
  return known ? kResultNames[result] : "HIPRTC_ERROR_INTERNAL_ERROR";
}

HIPAUDIT_EXPORT int hiprtcVersion(int* major, int* minor) {
  if (major == nullptr || minor == nullptr) return HIPRTC_ERROR_INVALID_INPUT;
  *major = 7;
  *minor = 2;
  return HIPRTC_SUCCESS;
}

HIPAUDIT_EXPORT int hiprtcCreateProgram(void** handle, const char* source, const char* name,
                                        int header_count, const char* const* headers,
                                        const char* const* include_names) {
  if (handle == nullptr || source == nullptr || header_count < 0) return HIPRTC_ERROR_INVALID_INPUT;
  auto* program = new Program;
  program->unit.text = source;
  program->unit.name = name != nullptr && *name != '\0' ? name : "CompileSource";
  for (int i = 0; i < header_count; ++i)
    program->unit.headers.emplace_back(include_names[i], headers[i]);
  *handle = program;
  return HIPRTC_SUCCESS;
}

HIPAUDIT_EXPORT int hiprtcDestroyProgram(void** handle) {
  if (handle == nullptr || *handle == nullptr) return HIPRTC_ERROR_INVALID_INPUT;
  delete program_of(*handle);
  *handle = nullptr;
  return HIPRTC_SUCCESS;
}

HIPAUDIT_EXPORT int hiprtcAddNameExpression(void* handle, const char* expression) {
  if (handle == nullptr || expression == nullptr) return HIPRTC_ERROR_INVALID_INPUT;
  if (program_of(handle)->compiled) return HIPRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION;
  program_of(handle)->unit.name_expressions.emplace_back(expression);
  return HIPRTC_SUCCESS;
}

HIPAUDIT_EXPORT int hiprtcCompileProgram(void* handle, int count, const char* const* options) {
  if (handle == nullptr || count < 0 || (count > 0 && options == nullptr))
    return HIPRTC_ERROR_INVALID_INPUT;
  Program* program = program_of(handle);
  Settings now = settings();
  program->unit.arch = now.arch;
  program->unit.options.clear();
  for (int i = 0; i < count; ++i) program->unit.options.emplace_back(options[i]);
  bool substituted = substitute(&program->unit);
  Compilation result = compile(program->unit, Variant::of(now));
  if (substituted) mark_substitution(result.good);
  program->log = result.log;
  program->object = result.object;
  program->compiled = result.good;
  if (!result.good) {
    bool option = result.log.find("hipaudit: the option '") == 0;
    return option ? HIPRTC_ERROR_INVALID_OPTION : HIPRTC_ERROR_COMPILATION;
  }
  program->code = pack(program->unit);
  return HIPRTC_SUCCESS;
}

HIPAUDIT_EXPORT int hiprtcGetLoweredName(void* handle, const char* expression,
                                         const char** lowered) {
  if (handle == nullptr || expression == nullptr || lowered == nullptr)
    return HIPRTC_ERROR_INVALID_INPUT;
  Program* program = program_of(handle);
  if (!program->compiled) return HIPRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION;
  if (program->image == nullptr) {
    std::string error;
    program->image.reset(Image::load(program->object, &error));
    if (program->image == nullptr) {
      program->log += error;
      return HIPRTC_ERROR_LINKING;
    }
  }
  auto found = program->image->lowered_names().find(expression);
  if (found == program->image->lowered_names().end()) return HIPRTC_ERROR_NAME_EXPRESSION_NOT_VALID;
  *lowered = found->second.c_str();
  return HIPRTC_SUCCESS;
}

HIPAUDIT_EXPORT int hiprtcGetProgramLogSize(void* handle, size_t* size) {
  if (handle == nullptr || size == nullptr) return HIPRTC_ERROR_INVALID_INPUT;
  *size = program_of(handle)->log.size() + 1;
  return HIPRTC_SUCCESS;
}

HIPAUDIT_EXPORT int hiprtcGetProgramLog(void* handle, char* log) {
  if (handle == nullptr || log == nullptr) return HIPRTC_ERROR_INVALID_INPUT;
  const std::string& text = program_of(handle)->log;
  memcpy(log, text.c_str(), text.size() + 1);
  return HIPRTC_SUCCESS;
}

HIPAUDIT_EXPORT int hiprtcGetCodeSize(void* handle, size_t* size) {
  if (handle == nullptr || size == nullptr) return HIPRTC_ERROR_INVALID_INPUT;
  if (!program_of(handle)->compiled) return HIPRTC_ERROR_INVALID_PROGRAM;
  *size = program_of(handle)->code.size();
  return HIPRTC_SUCCESS;
}

HIPAUDIT_EXPORT int hiprtcGetCode(void* handle, char* code) {
  if (handle == nullptr || code == nullptr) return HIPRTC_ERROR_INVALID_INPUT;
  if (!program_of(handle)->compiled) return HIPRTC_ERROR_INVALID_PROGRAM;
  const std::string& bytes = program_of(handle)->code;
  memcpy(code, bytes.data(), bytes.size());
  return HIPRTC_SUCCESS;
}
