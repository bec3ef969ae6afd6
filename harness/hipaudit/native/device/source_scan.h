// Finds the kernels of a preprocessed HIP source and adds the records that describe them.
#pragma once

#include <string>
#include <vector>

namespace hipaudit {

// How the text of a record begins, in the scanned source and in diagnostics that quote it.
inline constexpr char kRecordStart[] =
    " __attribute__((device, used, section(\".hipaudit.kernels\")))";

struct TemplateKernel {
  std::string name;
  std::string parameters;  // of the template: typename T, int N
  std::string signature;
};

struct ScannedSource {
  std::string text;  // the source with a record behind each kernel, line numbers unchanged
  std::vector<TemplateKernel> templates;
  std::vector<std::string>
      launches;  // what stands before <<< in host code, template arguments included
};

// Names a further template instance: as its user wrote it, and with macros replaced.
struct NameExpression {
  std::string text;
  std::string code;
};

// `source` is the output of the preprocessor.
ScannedSource scan_source(const std::string& source, const std::vector<NameExpression>& names);

}  // namespace hipaudit
