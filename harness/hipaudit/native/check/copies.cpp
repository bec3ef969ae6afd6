#include "check/copies.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string_view>

namespace hipaudit {
namespace {

constexpr std::string_view kCheck = R"(
define internal void @hipaudit.aligned(ptr %p, i64 %mask, i64 %size) alwaysinline nounwind {
  %address = ptrtoint ptr %p to i64
  %low = and i64 %address, %mask
  %good = icmp eq i64 %low, 0
  br i1 %good, label %done, label %report
report:
  call void @hipaudit_misaligned_copy(ptr %p, i64 %mask, i64 %size)
  br label %done
done:
  ret void
}
declare void @hipaudit_misaligned_copy(ptr, i64, i64)
)";

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// An address operand, as in "ptr align 16 %arrayidx".
struct Operand {
  std::string_view text;
  std::string_view name;  // empty of what the compiler placed
  uint64_t align = 1;
};

// The next operand of the call and what follows it.
Operand take_operand(std::string_view& rest) {
  Operand operand;
  size_t end = rest.find(',');
  std::string_view text = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  if (size_t at = text.find("align "); at != std::string_view::npos)
    operand.align = strtoull(text.data() + at + 6, nullptr, 10);
  operand.text = text.substr(text.find_last_of(' ') + 1);
  if (text.find('(') != std::string_view::npos) operand.text = {};  // an expression
  // Globals and constants are where the compiler put them.
  if (!operand.text.empty() && operand.text[0] == '%') operand.name = operand.text;
  return operand;
}

// Adds the checks of one function after the other.
class Writer {
 public:
  void line(std::string_view text) {
    if (starts_with(text, "define ")) {
      locals_.clear();
      debug_ = text.find(" !dbg ") != std::string_view::npos;
    } else if (size_t at = text.find(" = alloca "); at != std::string_view::npos) {
      size_t name = text.find('%');
      locals_[text.substr(name, at - name)] =
          starts_with(text.substr(at), " = alloca %struct.HIP_vector_type");
    } else if (starts_with(text, "  call void @llvm.memcpy.p0.p0.") ||
               starts_with(text, "  call void @llvm.memmove.p0.p0.")) {
      if (check_copy(text)) return;
    }
    out_ += text;
    out_ += '\n';
  }
  std::string take() { return std::move(out_); }

 private:
  // True when the copy itself is written as well.
  bool check_copy(std::string_view text) {
    std::string place;
    if (size_t at = text.find("!dbg !"); at != std::string_view::npos)
      place = ", " + std::string(text.substr(at, text.find_first_of(",\n", at) - at));
    if (debug_ && place.empty()) return false;  // such a call would have to have a place
    std::string_view rest = text.substr(text.find('(') + 1);
    Operand to = take_operand(rest);
    Operand from = take_operand(rest);
    std::string size(rest.substr(0, rest.find(',')));
    uint64_t bytes = strtoull(size.c_str() + size.rfind(' '), nullptr, 10);
    uint64_t vector = std::min(bytes, std::max(vector_align(to), vector_align(from)));
    for (const Operand& one : {to, from}) {
      uint64_t align = std::max(one.align, vector);
      if (one.name.empty() || align < 2 || locals_.count(one.name) != 0) continue;
      out_ += "  call void @hipaudit.aligned(ptr " + std::string(one.name) + ", i64 " +
              std::to_string(align - 1) + "," + size + ")" + place + "\n";
    }
    bool plain = text.find("i1 false)") != std::string_view::npos;
    return plain && copy_at_once(to, from, bytes, place);
  }

  // Of a variable that is one of HIP's vectors: then the other side is one too, whatever the
  // compiler saw behind a cast.
  uint64_t vector_align(const Operand& one) const {
    auto found = locals_.find(one.name);
    return found == locals_.end() || !found->second ? 1 : one.align;
  }

  // One load and one store, as a GPU does it.
  bool copy_at_once(const Operand& to, const Operand& from, uint64_t size,
                    const std::string& place) {
    if ((size != 8 && size != 16) || to.align < 4 || from.align < 4) return false;
    if (to.text.empty() || from.text.empty()) return false;
    std::string type = size == 8 ? "<2 x i32>" : "<4 x i32>";
    std::string value = "%hipaudit.copy." + std::to_string(++copies_);
    // No more alignment is promised than any vector has: a wrong promise would trap.
    std::string align = ", align 4" + place + "\n";
    out_ += "  " + value + " = load " + type + ", ptr " + std::string(from.text) + align;
    out_ += "  store " + type + " " + value + ", ptr " + std::string(to.text) + align;
    return true;
  }

  std::string out_;
  std::map<std::string_view, bool> locals_;  // whether they are one of HIP's vectors
  bool debug_ = false;
  size_t copies_ = 0;
};

}  // namespace

std::string with_checked_copies(const std::string& ir) {
  Writer writer;
  for (size_t at = 0; at < ir.size();) {
    size_t end = std::min(ir.find('\n', at), ir.size());
    writer.line(std::string_view(ir).substr(at, end - at));
    at = end + 1;
  }
  return writer.take() + std::string(kCheck);
}

}  // namespace hipaudit
