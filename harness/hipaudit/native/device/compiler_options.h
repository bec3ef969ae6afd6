// hiprtc's options as the compiler proper (clang -cc1) understands them.
#pragma once

#include <string>
#include <vector>

namespace hipaudit {

struct CompilerOptions {
  std::vector<std::string> preprocessor;  // -D -U -I -include
  std::vector<std::string> common;        // -std, warnings
  std::vector<std::string> code;          // optimisation, floating point
  std::string arch;                       // of --offload-arch; empty: none given
  std::string error;                      // names the first option that is not understood
};

CompilerOptions translate_options(const std::vector<std::string>& options);

}  // namespace hipaudit
