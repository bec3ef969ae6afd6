// The ledger's own functions, for those who use it within a process.
#include <cstdlib>
#include <cstring>

#include "../device/export.h"
#include "finish.h"
#include "ledger.h"
#include "options.h"
#include "stacks.h"
#include "zones.h"

namespace hipaudit::ledger {
namespace {

constexpr uint64_t kMostListed = 1000;

char* copy_of(const std::string& text) { return strdup(text.c_str()); }

void put_item(JsonWriter& json, const Record& record) {
  Ledger& own = ledger();
  const Site& site = own.totals.at(record.site);
  json.open('{').key("name");
  json.value(std::string(kind_title(record.kind)) + " " + std::to_string(record.number));
  json.key("kind").value(kind_name(record.kind)).key("serial").value(record.serial);
  json.key("address").value(record.address).key("size").value(record.size);
  json.key("device").value(uint32_t{record.device}).key("thread").value(record.owner);
  json.key("born");
  put_stack(json, site.stack);
  json.key("call").value(site.call).key("expected");
  auto reason = own.expected.find(record.serial);
  if (reason != own.expected.end()) {
    json.value(reason->second);
  } else {
    const ExpectedSite* found = nullptr;
    for (const ExpectedSite& expected : own.expected_sites)
      if (passes_through(site.stack, expected.file_suffix, expected.line)) found = &expected;
    if (found != nullptr)
      json.value(found->reason);
    else
      json.null();
  }
  json.close('}');
}

std::string live_items(uint64_t since, uint64_t until) {
  Locked lock(ledger().mutex);
  JsonWriter json;
  uint64_t total = 0;
  uint64_t bytes = 0;
  std::map<uint64_t, const Record*> items;
  ledger().records.each_live([&](const Record& record) {
    if (record.kind == Kind::global || record.serial <= since) return;
    if (until != 0 && record.serial > until) return;
    ++total;
    bytes += record.size;
    items[record.serial] = &record;
    if (items.size() > kMostListed) items.erase(std::prev(items.end()));
  });
  json.open('{').key("total").value(total).key("bytes").value(bytes).key("items").open('[');
  for (const auto& [serial, record] : items) put_item(json, *record);
  return json.close(']').close('}').text();
}

Record* find_any(uint64_t address) {
  Records& records = ledger().records;
  Record* found = records.find_memory(address);
  for (int kind = 0; kind < kKinds && (found == nullptr || !found->live); ++kind)
    if (!is_memory(static_cast<Kind>(kind)))
      if (Record* handle = records.find_handle(address, static_cast<Kind>(kind))) found = handle;
  return found != nullptr && found->live ? found : nullptr;
}

std::string scope_text(const Scope& scope) {
  JsonWriter json;
  json.open('{').key("name").value(scope.name).key("allocations").value(scope.allocations);
  json.key("frees").value(scope.frees).key("bytes").value(scope.bytes);
  json.key("peak_bytes").value(scope.peak_bytes).key("start_bytes").value(scope.start_bytes);
  json.key("since").value(scope.since).key("until").value(ledger().records.last_serial());
  return json.close('}').text();
}

}  // namespace
}  // namespace hipaudit::ledger

using hipaudit::Locked;
using hipaudit::ledger::ledger;

HIPAUDIT_EXPORT int hipaudit_ledger_version() { return 1; }

HIPAUDIT_EXPORT int hipaudit_ledger_set(const char* key, const char* value) {
  return key != nullptr && value != nullptr && hipaudit::ledger::set_option(key, value) ? 0 : 1;
}

HIPAUDIT_EXPORT uint64_t hipaudit_ledger_snapshot() {
  Locked lock(ledger().mutex);
  return ledger().records.last_serial();
}

HIPAUDIT_EXPORT char* hipaudit_ledger_live(uint64_t since, uint64_t until) {
  return hipaudit::ledger::copy_of(hipaudit::ledger::live_items(since, until));
}

HIPAUDIT_EXPORT int hipaudit_ledger_scope_begin(const char* name) {
  static int last_id = 0;
  Locked lock(ledger().mutex);
  hipaudit::ledger::Scope scope;
  scope.id = ++last_id;
  scope.name = name != nullptr ? name : "";
  scope.start_bytes = ledger().totals.live().bytes;
  scope.peak_bytes = scope.start_bytes;
  scope.since = ledger().records.last_serial();
  ledger().totals.scopes().push_back(scope);
  return scope.id;
}

HIPAUDIT_EXPORT char* hipaudit_ledger_scope_end(int id) {
  Locked lock(ledger().mutex);
  auto& scopes = ledger().totals.scopes();
  for (auto scope = scopes.begin(); scope != scopes.end(); ++scope) {
    if (scope->id != id) continue;
    std::string text = hipaudit::ledger::scope_text(*scope);
    scopes.erase(scope);
    return hipaudit::ledger::copy_of(text);
  }
  return nullptr;
}

HIPAUDIT_EXPORT int hipaudit_ledger_expect(uint64_t address, const char* reason) {
  Locked lock(ledger().mutex);
  hipaudit::ledger::Record* record = hipaudit::ledger::find_any(address);
  if (record == nullptr || reason == nullptr) return 1;
  ledger().expected[record->serial] = reason;
  return 0;
}

HIPAUDIT_EXPORT int hipaudit_ledger_expect_site(const char* file_suffix, int line,
                                                const char* reason) {
  if (file_suffix == nullptr || *file_suffix == '\0' || reason == nullptr) return 1;
  Locked lock(ledger().mutex);
  ledger().expected_sites.push_back({file_suffix, line, reason});
  return 0;
}

HIPAUDIT_EXPORT int hipaudit_ledger_budget(uint64_t bytes) {
  hipaudit::ledger::options.budget = bytes;
  return 0;
}

HIPAUDIT_EXPORT uint64_t hipaudit_ledger_asked() { return hipaudit::ledger::options.asked; }

HIPAUDIT_EXPORT char* hipaudit_ledger_report() {
  using namespace hipaudit::ledger;
  return copy_of("{\"memory\":" + memory_record(false) + ",\"copies\":" + copies_record(false) +
                 ",\"synchronisations\":" + waits_record(false) + "}");
}

HIPAUDIT_EXPORT uint64_t hipaudit_ledger_findings() { return hipaudit::ledger::findings_so_far(); }

HIPAUDIT_EXPORT void hipaudit_ledger_check() {
  hipaudit::ledger::check_all_zones("hipaudit_ledger_check");
}

HIPAUDIT_EXPORT void hipaudit_ledger_flush() { hipaudit::ledger::write_sums(false); }

HIPAUDIT_EXPORT void hipaudit_ledger_free(char* text) { free(text); }
