// Undefined behaviour as clang's UBSan sees it, at source precision: handlers of our own.
#include <bit>
#include <cstdio>
#include <string>

#include "check/checker.h"
#include "check/symbols.h"

namespace hipaudit {
namespace {

// The head of every handler's data, and the description of a type, as clang lays them out.
struct Location {
  const char* file;
  uint32_t line;
  uint32_t column;
};
struct Type {
  uint16_t kind;  // 0: integer, 1: floating
  uint16_t info;  // integers: bit 0 signed, the rest log2 of the width
  char name[1];
};
struct OneType {
  Location location;
  const Type* type;
};
struct TwoTypes {
  Location location;
  const Type* first;
  const Type* second;
};
struct Mismatch {
  Location location;
  const Type* type;
  uint8_t log_align;
  uint8_t check;
};

bool is_integer(const Type* type) { return type->kind == 0; }
bool is_signed(const Type* type) { return (type->info & 1) != 0; }
// In bits; 0: neither an integer nor a floating-point type.
unsigned width_of(const Type* type) {
  return is_integer(type) ? 1u << (type->info >> 1) : type->kind == 1 ? type->info : 0;
}

// A value as handlers get it: in the word itself when it fits, else where the word points to.
std::string text_of(const Type* type, uintptr_t word) {
  char text[64];
  unsigned width = width_of(type);
  if (width > 64) return "a value";
  if (!is_integer(type)) {
    auto half = static_cast<uint16_t>(word);
    double value = width == 64   ? std::bit_cast<double>(word)
                   : width == 32 ? std::bit_cast<float>(static_cast<uint32_t>(word))
                                 : static_cast<double>(std::bit_cast<_Float16>(half));
    snprintf(text, sizeof text, "%.9g", value);
  } else if (is_signed(type)) {
    auto value = static_cast<int64_t>(word << (64 - width)) >> (64 - width);
    snprintf(text, sizeof text, "%lld", static_cast<long long>(value));
  } else {
    snprintf(text, sizeof text, "%llu", static_cast<unsigned long long>(word));
  }
  return text;
}

void report(const std::string& message, uintptr_t pc) {
  Worker* worker = current_worker();
  flush_pending(check_of(*worker), *worker->launch);
  Observation seen;
  seen.kind = "undefined-behaviour";
  seen.message = message;
  seen.here = present_side(*worker, pc);
  observe(*worker->launch, seen);
}

void overflow(const OneType* data, const char* operation, uintptr_t left, uintptr_t right,
              uintptr_t pc) {
  report(text_of(data->type, left) + " " + operation + " " + text_of(data->type, right) +
             " does not fit " + data->type->name,
         pc);
}

}  // namespace

void report_misaligned(uintptr_t address, uint64_t size, uint64_t align, const std::string& what,
                       uintptr_t pc) {
  Worker* worker = current_worker();
  flush_pending(check_of(*worker), *worker->launch);
  Observation seen;
  seen.kind = "misaligned-access";
  seen.access = "access";
  seen.bytes = static_cast<uint32_t>(size);
  bool shared = near_shared(address);
  seen.space = shared ? "shared" : address - kDeviceBase < kDeviceSpan ? "global" : "private";
  seen.address = shared ? address - reinterpret_cast<uintptr_t>(shared_memory()) : address;
  seen.message = what + " has to lie at a multiple of " + std::to_string(align) + " bytes";
  seen.here = present_side(*worker, pc);
  observe(*worker->launch, seen);
}

}  // namespace hipaudit

using namespace hipaudit;

#define HIPAUDIT_PC (reinterpret_cast<uintptr_t>(__builtin_return_address(0)) - 1)

extern "C" {

void __ubsan_handle_add_overflow(OneType* data, uintptr_t left, uintptr_t right) {
  overflow(data, "+", left, right, HIPAUDIT_PC);
}
void __ubsan_handle_sub_overflow(OneType* data, uintptr_t left, uintptr_t right) {
  overflow(data, "-", left, right, HIPAUDIT_PC);
}
void __ubsan_handle_mul_overflow(OneType* data, uintptr_t left, uintptr_t right) {
  overflow(data, "*", left, right, HIPAUDIT_PC);
}
void __ubsan_handle_negate_overflow(OneType* data, uintptr_t value) {
  overflow(data, "-", 0, value, HIPAUDIT_PC);
}

void __ubsan_handle_divrem_overflow(OneType* data, uintptr_t left, uintptr_t right) {
  uintptr_t pc = HIPAUDIT_PC;
  if (text_of(data->type, right) == "0")
    report(text_of(data->type, left) + " / 0: division by zero", pc);
  else
    overflow(data, "/", left, right, pc);
  // The division itself would trap next.
  Worker* worker = current_worker();
  worker->launch->given_up.store(true);
  worker->launch->stop.store(true);
  abandon(worker);
}

void __ubsan_handle_shift_out_of_bounds(TwoTypes* data, uintptr_t left, uintptr_t right) {
  report(text_of(data->first, left) + " shifted by " + text_of(data->second, right) + ": " +
             data->first->name + " has " + std::to_string(width_of(data->first)) + " bits",
         HIPAUDIT_PC);
}

void __ubsan_handle_float_cast_overflow(TwoTypes* data, uintptr_t value) {
  report(text_of(data->first, value) + " of type " + data->first->name + " does not fit " +
             data->second->name,
         HIPAUDIT_PC);
}

// The access that follows tells what kind of memory the array lies in.
void __ubsan_handle_out_of_bounds(TwoTypes* data, uintptr_t index) {
  Worker* worker = current_worker();
  WorkerCheck& check = check_of(*worker);
  flush_pending(check, *worker->launch);
  check.index_message =
      "index " + text_of(data->second, index) + " is out of bounds of " + data->first->name;
  check.index_site = static_cast<const char*>(__builtin_return_address(0));
  set_attention(kIndexLeft);
}

// Called by the checks of copies.cpp.
void hipaudit_misaligned_copy(uintptr_t pointer, uint64_t mask, uint64_t size) {
  report_misaligned(pointer, size, mask + 1, "what is copied", HIPAUDIT_PC);
}

void __ubsan_handle_type_mismatch_v1(Mismatch* data, uintptr_t pointer) {
  uint64_t align = uint64_t{1} << data->log_align;
  uint64_t size = width_of(data->type) != 0 ? width_of(data->type) / 8 : align;
  report_misaligned(pointer, size, align, data->type->name, HIPAUDIT_PC);
}

}  // extern "C"

namespace hipaudit {

#define S(name) {#name, reinterpret_cast<void*>(&name)}
const Symbol kUndefinedSymbols[] = {
    S(__ubsan_handle_add_overflow),        S(__ubsan_handle_sub_overflow),
    S(__ubsan_handle_mul_overflow),        S(__ubsan_handle_negate_overflow),
    S(__ubsan_handle_divrem_overflow),     S(__ubsan_handle_shift_out_of_bounds),
    S(__ubsan_handle_float_cast_overflow), S(__ubsan_handle_out_of_bounds),
    S(__ubsan_handle_type_mismatch_v1),    S(hipaudit_misaligned_copy),
};
const size_t kUndefinedSymbolCount = sizeof kUndefinedSymbols / sizeof kUndefinedSymbols[0];

}  // namespace hipaudit
