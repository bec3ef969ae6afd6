#include "annotate.h"

#include <unistd.h>

#include "below.h"
#include "ledger.h"
#include "options.h"
#include "stacks.h"

namespace hipaudit::ledger {
namespace {

// Without the braces round it.
std::string members(const JsonWriter& json) {
  return json.text().substr(1, json.text().size() - 2);
}

std::string about_call(const Thread& thread) {
  if (thread.call == nullptr) return "";
  JsonWriter json;
  json.open('{').key("call").value(thread.call->name).key("stack");
  put_stack(json, thread.call->stack);
  json.key("thread").value(thread.id).key("pid").value(static_cast<uint64_t>(getpid()));
  json.close('}');
  return members(json);
}

std::string about_allocation(uint64_t address) {
  Locked lock(ledger().mutex);
  const Record* record = ledger().records.find_memory(address);
  if (record == nullptr) return "";
  JsonWriter json;
  json.open('{');
  put_life(json, subject_of(*record, address));
  json.close('}');
  return members(json);
}

const char* answer(uint64_t allocation) {
  if (!tracking()) return nullptr;
  Thread& thread = this_thread();
  if (thread.call != nullptr) thread.call->reported = true;
  thread.answer = allocation == 0 ? about_call(thread) : about_allocation(allocation);
  return thread.answer.c_str();
}

}  // namespace

void annotate_the_device() {
  static Below<void(const char* (*)(uint64_t))> below("hipaudit_annotate");
  if (below.exists()) below(answer);
}

}  // namespace hipaudit::ledger
