#include "compiler_options.h"

#include <string_view>

namespace hipaudit {
namespace {

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// Options that change nothing here: about debugging, file layout, or code generation of a real GPU.
bool has_no_effect(std::string_view option) {
  static constexpr std::string_view kWhole[] = {"-g",
                                                "-ggdb",
                                                "-c",
                                                "-fPIC",
                                                "-fgpu-rdc",
                                                "-fno-gpu-rdc",
                                                "-munsafe-fp-atomics",
                                                "-mno-unsafe-fp-atomics",
                                                "-mcumode",
                                                "-mno-cumode",
                                                "--cuda-device-only",
                                                "--offload-device-only",
                                                "-nogpuinc",
                                                "-nogpulib",
                                                "-default-device",
                                                "-fcuda-flush-denormals-to-zero-off",
                                                "-fno-gpu-flush-denormals-to-zero",
                                                "-xhip",
                                                "-save-temps",
                                                "-fno-gpu-approx-transcendentals"};
  for (std::string_view known : kWhole)
    if (option == known) return true;
  return starts_with(option, "--rocm-path=") || starts_with(option, "--hip-path=") ||
         starts_with(option, "-Rpass") || starts_with(option, "-parallel-jobs=") ||
         starts_with(option, "-fdiagnostics") || starts_with(option, "-fcolor-diagnostics") ||
         starts_with(option, "-fno-color-diagnostics");
}

bool add_floating_point(std::string_view option, std::vector<std::string>& code) {
  if (option == "-ffast-math" || option == "-use_fast_math" || option == "--use_fast_math") {
    for (const char* flag :
         {"-menable-no-infs", "-menable-no-nans", "-fapprox-func", "-funsafe-math-optimizations",
          "-fno-signed-zeros", "-mreassociate", "-freciprocal-math", "-ffp-contract=fast",
          "-ffast-math", "-ffinite-math-only"})
      code.emplace_back(flag);
    return true;
  }
  if (starts_with(option, "-ffp-contract=") || option == "-fno-signed-zeros" ||
      option == "-freciprocal-math") {
    code.emplace_back(option);
    return true;
  }
  return option == "-fno-fast-math";
}

// Options whose value is glued on or follows as an argument of its own.
const char* value_option(std::string_view option) {
  for (const char* name : {"-D", "-U", "-I", "-isystem", "-include", "-mllvm", "-x"})
    if (starts_with(option, name)) return name;
  for (const char* name : {"--offload-arch", "--gpu-architecture", "-arch", "--std"})
    if (option == name) return name;
  return nullptr;
}

}  // namespace

CompilerOptions translate_options(const std::vector<std::string>& options) {
  CompilerOptions out;
  for (size_t i = 0; i < options.size() && out.error.empty(); ++i) {
    std::string option = options[i];
    if (option.empty() || has_no_effect(option)) continue;
    std::string name = option;
    std::string value;
    if (const char* known = value_option(option)) {
      name = known;
      value = option.substr(name.size());
      if (value.empty() && i + 1 < options.size()) value = options[++i];
    } else if (size_t equals = option.find('='); equals != std::string::npos) {
      name = option.substr(0, equals);
      value = option.substr(equals + 1);
    }
    if (name == "-D" || name == "-U" || name == "-I" || name == "-isystem" || name == "-include") {
      out.preprocessor.push_back(name);
      out.preprocessor.push_back(value);
    } else if (name == "--offload-arch" || name == "--gpu-architecture" || name == "-arch") {
      out.arch = value.substr(0, value.find(':'));
    } else if (name == "-std" || name == "--std") {
      out.common.push_back("-std=" + value);
    } else if (starts_with(option, "-W") || option == "-w") {
      if (!starts_with(option, "-Wl,") && !starts_with(option, "-Wa,"))
        out.common.push_back(option);
    } else if (option == "-O0" || option == "-O1" || option == "-O2" || option == "-O3" ||
               option == "-Os") {
      out.code.push_back(option);
      out.preprocessor.push_back(option);  // for __OPTIMIZE__
    } else if (option == "-O" || option == "-Ofast") {
      out.code.emplace_back("-O3");
      if (option == "-Ofast") add_floating_point("-ffast-math", out.code);
    } else if (name == "-x" && value == "hip") {
      continue;
    } else if (!add_floating_point(option, out.code)) {
      out.error = option;
    }
  }
  return out;
}

}  // namespace hipaudit
