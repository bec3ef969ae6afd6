#include "compiler.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "check/copies.h"
#include "compiler_options.h"
#include "linker.h"
#include "profile.h"
#include "statement_marks.h"
#include "sync.h"
#include "toolchain_config.h"

extern char** environ;

namespace hipaudit {
namespace {

// 128 bits of two FNV-1a sums with different starting points and orders.
class Hash {
 public:
  void add(const std::string& text) {
    for (unsigned char c : text) step(c);
    step(0);
    step(static_cast<unsigned char>(text.size()));
  }
  std::string hex() const {
    char text[33];
    snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(a_),
             static_cast<unsigned long long>(b_));
    return text;
  }

 private:
  void step(unsigned char c) {
    a_ = (a_ ^ c) * 0x100000001b3;
    b_ = (b_ * 0x9e3779b97f4a7c15) ^ (c + (b_ >> 29));
  }
  uint64_t a_ = 0xcbf29ce484222325;
  uint64_t b_ = 0x6a09e667f3bcc908;
};

// The library lies in CACHE/device/HASH/lib/; kernels go to CACHE/kernels/.
std::string cache_folder() {
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&compile), &info) == 0) return "";
  std::string path = info.dli_fname;
  for (int up = 0; up < 4; ++up) path = path.substr(0, path.rfind('/'));
  path += "/kernels";
  mkdir(path.c_str(), 0700);
  return path;
}

std::string hash_of(const std::string& text) {
  Hash hash;
  hash.add(text);
  return hash.hex();
}

std::string unit_key(const SourceUnit& unit, Variant variant) {
  Hash hash;
  hash.add(kToolchainFingerprint);
  hash.add(std::to_string(variant.index()));
  hash.add(unit.name);
  hash.add(unit.text);
  hash.add(unit.arch);
  for (const auto& [name, text] : unit.headers) {
    hash.add(name);
    hash.add(text);
  }
  for (const std::string& option : unit.options) hash.add(option);
  hash.add("names");
  for (const std::string& name : unit.name_expressions) hash.add(name);
  return hash.hex();
}

// A folder for one compilation, removed with its files at the end.
class Workplace {
 public:
  explicit Workplace(const std::string& parent) {
    std::string pattern = parent + "/build.XXXXXX";
    if (mkdtemp(pattern.data()) != nullptr) path = pattern;
  }
  ~Workplace() { remove_tree(path); }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  std::string path;

 private:
  static void remove_tree(const std::string& folder) {
    if (folder.empty()) return;
    DIR* open = opendir(folder.c_str());
    if (open == nullptr) return;
    while (dirent* entry = readdir(open)) {
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
      std::string inner = folder + "/" + entry->d_name;
      if (entry->d_type == DT_DIR)
        remove_tree(inner);
      else
        unlink(inner.c_str());
    }
    closedir(open);
    rmdir(folder.c_str());
  }
};

std::string text_of(const std::string& path) {
  std::vector<char> bytes;
  if (!read_file(path, &bytes)) return "";
  return std::string(bytes.begin(), bytes.end());
}

// Diagnostics quote source lines; what the scanner wrote behind a kernel is no business of the
// user's.
std::string without_records(const std::string& log) {
  std::string clean;
  for (size_t at = 0; at < log.size();) {
    size_t end = std::min(log.find('\n', at), log.size());
    std::string line = log.substr(at, end - at);
    clean += line.substr(0, line.find(kRecordStart)) + "\n";
    at = end + 1;
  }
  return clean;
}

// Runs the compiler proper with these arguments; its diagnostics are appended to *log.
bool run_compiler(const std::vector<std::string>& arguments, const std::string& folder,
                  std::string* log) {
  std::vector<char*> argv;
  for (const char* const* word = kKernelCompiler; *word != nullptr; ++word)
    argv.push_back(const_cast<char*>(*word));
  for (const std::string& word : arguments) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::string errors = folder + "/errors";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child = 0;
  int failed = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    *log += std::string("hipaudit: cannot start ") + argv[0] + ": " + strerror(failed) + "\n";
    return false;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  *log += without_records(text_of(errors));
  if (WIFSIGNALED(status))
    *log += "hipaudit: the compiler died of signal " + std::to_string(WTERMSIG(status)) + "\n";
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

void append(std::vector<std::string>& to, const char* const* words) {
  for (; *words != nullptr; ++words) to.emplace_back(*words);
}

// Macros that tell the architecture, as AMD's compiler defines them.
std::vector<std::string> arch_macros(const std::string& arch) {
  const Profile* profile = find_profile(arch.c_str());
  int wave = profile != nullptr ? profile->wave : 64;
  std::string family = "__GFX" + arch.substr(3, arch.size() - 5) + "__";
  return {"-D__" + arch + "__=1", "-D" + family + "=1",
          "-D__AMDGCN_WAVEFRONT_SIZE__=" + std::to_string(wave),
          "-D__AMDGCN_WAVEFRONT_SIZE=" + std::to_string(wave)};
}

bool make_parents(const std::string& folder, const std::string& name) {
  if (name.empty() || name[0] == '/' || name.find("..") != std::string::npos) return false;
  for (size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1))
    mkdir((folder + "/" + name.substr(0, slash)).c_str(), 0700);
  return true;
}

constexpr char kNameMark[] = "hipaudit_name_expression ";

// Takes the name expressions off the end of the preprocessed text, where write_inputs put them.
std::vector<NameExpression> take_names(const SourceUnit& unit, std::string* text) {
  std::vector<NameExpression> names;
  size_t at = text->size();
  for (size_t i = unit.name_expressions.size(); i-- > 0;) {
    size_t mark = text->rfind(kNameMark, at == 0 ? 0 : at - 1);
    if (mark == std::string::npos) return {};
    size_t begin = mark + sizeof kNameMark - 1;
    std::string code = text->substr(begin, text->find('\n', begin) - begin);
    names.insert(names.begin(), {unit.name_expressions[i], code});
    at = mark;
  }
  text->resize(at);
  return names;
}

// What a name is between the quotes of a line marker.
std::string as_literal(const std::string& name) {
  std::string text;
  for (char c : name) {
    if (c == '"' || c == '\\') text += '\\';
    text += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return text;
}

bool write_inputs(const SourceUnit& unit, const std::string& folder, std::string* log) {
  for (const auto& [name, text] : unit.headers) {
    if (make_parents(folder, name) && write_file(folder + "/" + name, text.data(), text.size()))
      continue;
    *log += "hipaudit: the header name '" + name + "' cannot be used\n";
    return false;
  }
  constexpr char kByteOrderMark[] = "\xef\xbb\xbf";
  size_t begin = unit.text.rfind(kByteOrderMark, 0) == 0 ? sizeof kByteOrderMark - 1 : 0;
  std::string text = "# 1 \"" + as_literal(unit.name) + "\"\n" + unit.text.substr(begin);
  // Name expressions may use the source's macros: they pass through the preprocessor too.
  for (const std::string& expression : unit.name_expressions)
    text += std::string("\n") + kNameMark + expression + "\n";
  return write_file(folder + "/source.hip", text.data(), text.size());
}

// Paths in a make rule as clang writes it; spaces are escaped.
std::vector<std::string> dependencies(const std::string& rule, const std::string& folder) {
  std::vector<std::string> paths;
  std::string path;
  size_t colon = rule.find(": ");
  for (size_t i = colon == std::string::npos ? rule.size() : colon + 1; i <= rule.size(); ++i) {
    char c = i < rule.size() ? rule[i] : '\n';
    if (c == '\\' && i + 1 < rule.size() && rule[i + 1] != '\n') {
      path += rule[++i];
    } else if (c == ' ' || c == '\n' || c == '\\') {
      if (!path.empty() && path.rfind(folder, 0) != 0) paths.push_back(path);
      path.clear();
    } else {
      path += c;
    }
  }
  return paths;
}

// Fields are length-prefixed by line so that any text fits.
std::string write_lines(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += std::to_string(line.size()) + ' ' + line + '\n';
  return out;
}

std::vector<std::string> read_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    char* end = nullptr;
    size_t size = strtoul(text.c_str() + at, &end, 10);
    size_t begin = static_cast<size_t>(end - text.c_str()) + 1;
    if (begin + size > text.size()) break;
    lines.push_back(text.substr(begin, size));
    at = begin + size + 1;
  }
  return lines;
}

// The sidecar of an object: number of dependencies, each with its hash; templates; launches; log.
void write_facts(const std::string& path, const std::vector<std::string>& used,
                 const Compilation& done) {
  std::vector<std::string> lines{std::to_string(used.size())};
  for (const std::string& file : used) {
    lines.push_back(file);
    lines.push_back(hash_of(text_of(file)));
  }
  lines.push_back(std::to_string(done.templates.size()));
  for (const TemplateKernel& kernel : done.templates) {
    lines.push_back(kernel.name);
    lines.push_back(kernel.parameters);
    lines.push_back(kernel.signature);
  }
  lines.push_back(done.log);
  append(lines, done.launches);
  std::string text = write_lines(lines);
  write_file(path, text.data(), text.size());
}

bool read_facts(const std::string& path, Compilation* out) {
  std::vector<std::string> lines = read_lines(text_of(path));
  size_t at = 0;
  auto next = [&] { return at < lines.size() ? lines[at++] : std::string(); };
  if (lines.empty()) return false;
  for (size_t count = strtoul(next().c_str(), nullptr, 10); count > 0; --count) {
    std::string file = next();
    if (hash_of(text_of(file)) != next()) return false;
  }
  for (size_t count = strtoul(next().c_str(), nullptr, 10); count > 0; --count) {
    TemplateKernel kernel;
    kernel.name = next();
    kernel.parameters = next();
    kernel.signature = next();
    out->templates.push_back(kernel);
  }
  out->log = next();
  while (at < lines.size()) out->launches.push_back(next());
  return true;
}

// Runs the compiler behind the preprocessor, or a part of it.
bool generate(std::vector<std::string> arguments, const std::vector<std::string>& part,
              const std::string& folder, std::string* log) {
  append(arguments, part);
  return run_compiler(arguments, folder, log);
}

// In two parts, between which checks are added that the compiler has none of.
bool generate_checked(const std::vector<std::string>& arguments, const std::string& source,
                      const std::string& object, const std::string& folder, std::string* log) {
  std::string assembly = folder + "/kernels.ll";
  std::vector<std::string> front = arguments;
  front.erase(std::remove(front.begin(), front.end(), "-emit-obj"), front.end());
  append(front, {"-emit-llvm", "-disable-llvm-passes"});
  if (!generate(front, {"-x", "hip-cpp-output", "-o", assembly, source}, folder, log)) return false;
  std::string checked = with_checked_copies(text_of(assembly));
  if (write_file(assembly, checked.data(), checked.size()) &&
      generate(arguments, {"-x", "ir", "-o", object, assembly}, folder, log))
    return true;
  // The second part does not know where in the source its errors lie.
  std::string placed;
  if (!generate(arguments, {"-x", "hip-cpp-output", "-o", object, source}, folder, &placed))
    *log = placed;
  return false;
}

bool build_object(const SourceUnit& unit, Variant variant, const std::string& base,
                  Compilation* out) {
  CompilerOptions options = translate_options(unit.options);
  if (!options.error.empty()) {
    out->log = "hipaudit: the option '" + options.error + "' is not emulated\n";
    return false;
  }
  if (!options.arch.empty() && options.arch != unit.arch) {
    out->log = "hipaudit: --offload-arch=" + options.arch + " but the emulated device is " +
               unit.arch + "\n";
    return false;
  }
  Workplace workplace(cache_folder());
  if (workplace.path.empty() || !write_inputs(unit, workplace.path, &out->log)) return false;
  std::string rule = workplace.path + "/rule";
  std::vector<std::string> first{"-E", "-x",  "hip",   "-I", workplace.path, "-dependency-file",
                                 rule, "-MT", "object"};
  append(first, kPreprocessorFlags);
  if (variant.build == Build::checked) first.emplace_back("-DHIPAUDIT_CHECKED=1");
  if (variant.adversarial) first.emplace_back("-DHIPAUDIT_ADVERSARIAL=1");
  append(first, arch_macros(unit.arch));
  append(first, options.preprocessor);
  append(first, options.common);
  append(first, {"-o", workplace.path + "/source.ii", workplace.path + "/source.hip"});
  if (!run_compiler(first, workplace.path, &out->log)) return false;
  std::string preprocessed = text_of(workplace.path + "/source.ii");
  // Headers that came with the program are called what the program calls them.
  std::string place = "\"" + workplace.path + "/";
  for (size_t at = 0; (at = preprocessed.find(place, at)) != std::string::npos; ++at)
    preprocessed.erase(at + 1, place.size() - 1);
  std::vector<NameExpression> names = take_names(unit, &preprocessed);
  ScannedSource scanned = scan_source(preprocessed, names);
  out->templates = scanned.templates;
  out->launches = scanned.launches;
  std::string source = workplace.path + "/records.ii";
  std::string object = workplace.path + "/object.o";
  if (!write_file(source, scanned.text.data(), scanned.text.size())) return false;
  std::vector<std::string> second;
  append(second, variant.build == Build::checked ? kCheckedFlags : kPlainFlags);
  if (!variant.contract) second.emplace_back("-ffp-contract=off");
  append(second, options.common);
  append(second, options.code);
  bool good = variant.build == Build::checked
                  ? generate_checked(second, source, object, workplace.path, &out->log)
                  : generate(second, {"-x", "hip-cpp-output", "-o", object, source}, workplace.path,
                             &out->log);
  if (!good) return false;
  unlink((base + ".elf").c_str());  // made from an older object of this key
  std::string marks = statement_marks(preprocessed);
  std::string unfinished = workplace.path + "/marks";
  // Another process may be reading what an equal compilation wrote.
  if (!write_file(unfinished, marks.data(), marks.size()) ||
      rename(unfinished.c_str(), (base + ".marks").c_str()) != 0)
    return false;
  write_facts(base + ".facts", dependencies(text_of(rule), workplace.path), *out);
  return rename(object.c_str(), out->object.c_str()) == 0;
}

Mutex mutex;

}  // namespace

Variant Variant::of(const Settings& settings) {
  const Adversary& adversary = settings.adversary;
  return {settings.build, adversary.needs_own_build(), adversary.contract};
}

Compilation compile(const SourceUnit& unit, Variant variant) {
  Locked lock(mutex);
  Compilation result;
  std::string base = cache_folder() + "/" + unit_key(unit, variant);
  result.object = base + ".o";
  if (access(result.object.c_str(), R_OK) == 0 && read_facts(base + ".facts", &result)) {
    result.good = true;
    return result;
  }
  result = Compilation{};
  result.object = base + ".o";
  result.good = build_object(unit, variant, base, &result);
  return result;
}

}  // namespace hipaudit
