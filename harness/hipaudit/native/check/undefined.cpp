// Undefined behaviour as clang's UBSan sees it, at source precision: handlers of our own.
#include <cstdio>

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

int64_t signed_value(const Type* type, uintptr_t value) {
  if (type->kind != 0) return static_cast<int64_t>(value);
  unsigned width = 1u << (type->info >> 1);
  if ((type->info & 1) == 0 || width >= 64) return static_cast<int64_t>(value);
  return static_cast<int64_t>(value << (64 - width)) >> (64 - width);
}

void report(const char* kind, const char* message, uintptr_t pc) {
  Worker* worker = current_worker();
  flush_pending(check_of(*worker), *worker->launch);
  Observation seen;
  seen.kind = kind;
  seen.message = message;
  seen.here = present_side(*worker, pc);
  observe(*worker->launch, seen);
}

void overflow(const OneType* data, const char* operation, uintptr_t left, uintptr_t right,
              uintptr_t pc) {
  char text[160];
  snprintf(text, sizeof text, "%lld %s %lld does not fit %s",
           static_cast<long long>(signed_value(data->type, left)), operation,
           static_cast<long long>(signed_value(data->type, right)), data->type->name);
  report("undefined-behaviour", text, pc);
}

}  // namespace
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
  if (signed_value(data->type, right) == 0)
    report("undefined-behaviour", "division by zero", pc);
  else
    overflow(data, "/", left, right, pc);
  // The division itself would trap next.
  Worker* worker = current_worker();
  worker->launch->given_up.store(true);
  worker->launch->stop.store(true);
  abandon(worker);
}

void __ubsan_handle_shift_out_of_bounds(TwoTypes* data, uintptr_t left, uintptr_t right) {
  char text[160];
  snprintf(text, sizeof text, "%lld shifted by %lld: %s has %u bits",
           static_cast<long long>(signed_value(data->first, left)),
           static_cast<long long>(signed_value(data->second, right)), data->first->name,
           1u << (data->first->info >> 1));
  report("undefined-behaviour", text, HIPAUDIT_PC);
}

void __ubsan_handle_float_cast_overflow(TwoTypes* data, uintptr_t) {
  char text[160];
  snprintf(text, sizeof text, "a value of %s that %s cannot hold", data->first->name,
           data->second->name);
  report("undefined-behaviour", text, HIPAUDIT_PC);
}

// The access that follows tells what kind of memory the array lies in.
void __ubsan_handle_out_of_bounds(TwoTypes* data, uintptr_t index) {
  Worker* worker = current_worker();
  WorkerCheck& check = check_of(*worker);
  flush_pending(check, *worker->launch);
  char text[200];
  snprintf(text, sizeof text, "index %lld is out of bounds of %s",
           static_cast<long long>(signed_value(data->second, index)), data->first->name);
  check.index_message = text;
  check.index_site = static_cast<const char*>(__builtin_return_address(0));
}

void __ubsan_handle_type_mismatch_v1(Mismatch* data, uintptr_t pointer) {
  char text[200];
  snprintf(text, sizeof text, "%s at %#llx, which is not a multiple of %u", data->type->name,
           static_cast<unsigned long long>(pointer), 1u << data->log_align);
  report("misaligned-access", text, HIPAUDIT_PC);
}

}  // extern "C"

namespace hipaudit {

#define S(name) {#name, reinterpret_cast<void*>(&name)}
const Symbol kUndefinedSymbols[] = {
    S(__ubsan_handle_add_overflow),        S(__ubsan_handle_sub_overflow),
    S(__ubsan_handle_mul_overflow),        S(__ubsan_handle_negate_overflow),
    S(__ubsan_handle_divrem_overflow),     S(__ubsan_handle_shift_out_of_bounds),
    S(__ubsan_handle_float_cast_overflow), S(__ubsan_handle_out_of_bounds),
    S(__ubsan_handle_type_mismatch_v1),
};
const size_t kUndefinedSymbolCount = sizeof kUndefinedSymbols / sizeof kUndefinedSymbols[0];

}  // namespace hipaudit
