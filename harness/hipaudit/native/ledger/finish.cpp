#include "finish.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <map>
#include <tuple>

#include "../device/export.h"
#include "annotate.h"
#include "below.h"
#include "errors.h"
#include "ledger.h"
#include "options.h"
#include "stacks.h"
#include "watch.h"
#include "zones.h"

// pthread_atfork under its own name is not in every C library's shared part.
extern "C" int __register_atfork(void (*prepare)(), void (*parent)(), void (*child)(), void* dso);
extern "C" void* __dso_handle;

namespace hipaudit::ledger {
namespace {

using Origin = std::tuple<uint32_t, Kind>;  // site's number and kind

struct Left {
  Record first;
  uint64_t count = 0;
  uint64_t bytes = 0;
};

bool is_expected(const Record& record) {
  Ledger& own = ledger();
  if (own.expected.count(record.serial) != 0) return true;
  for (const ExpectedSite& site : own.expected_sites)
    if (passes_through(own.totals.at(record.site).stack, site.file_suffix, site.line)) return true;
  return false;
}

// Runtimes keep the modules that they compiled as long as the process. So many from one place are
// no such cache any more.
constexpr uint64_t kModulesOfALoop = 32;

// Memory is an error, a handle is untidy.
const char* severity_of(Kind kind) {
  if (kind == Kind::module) return "info";
  return is_memory(kind) || kind == Kind::array ? "error" : "warning";
}

std::map<Origin, Left> what_is_left() {
  Ledger& own = ledger();
  std::map<Origin, Left> left;
  own.records.each_live([&](const Record& record) {
    if (record.kind == Kind::global || record.serial < own.first_own_serial) return;
    if (is_expected(record)) return;
    Left& group = left[{record.site, record.kind}];
    if (group.count++ == 0) group.first = record;
    group.bytes += record.size;
  });
  return left;
}

Finding leak(const Left& group) {
  Finding finding;
  finding.kind = "leak";
  finding.severity = severity_of(group.first.kind);
  finding.subject = subject_of(group.first, group.first.address);
  finding.bytes = group.bytes;
  finding.count = group.count;
  finding.message = title(group.first) + " of " + finding.subject->born_call + " was never " +
                    (is_memory(group.first.kind) ? "freed" : "destroyed");
  if (group.count > 1)
    finding.message += "; " + std::to_string(group.count) + " like it were not, " +
                       std::to_string(group.bytes) + " bytes in all";
  return finding;
}

void report_leaks() {
  std::vector<Finding> findings;
  {
    Locked lock(ledger().mutex);
    for (const auto& [origin, group] : what_is_left())
      if (group.first.kind != Kind::module || group.count >= kModulesOfALoop)
        findings.push_back(leak(group));
  }
  for (const Finding& finding : findings) report_again(finding);
}

// Once, as late as it can be: programs free memory from exit handlers and destructors.
void finish() {
  if (!tracking() || ledger().closed) return;
  ledger().closed = true;
  end_all_watches();
  report_ignored_errors();
  if (options.leaks) report_leaks();
  write_sums(true);
  options.mode = Mode::off;
}

pid_t own_pid = 0;

// The last of all handlers when the library was preloaded, since none was registered before it.
void finish_and_exit(int status, void*) {
  if (!preloaded()) return;
  bool tell = options.mode.load() == Mode::report;
  finish();
  if (!tell || status != 0 || errors_so_far() == 0) return;
  fflush(nullptr);
  syscall(SYS_exit_group, 1);
}

// A process that leaves without its exit handlers, as forked workers do, is accounted for as well.
// A child of vfork runs in its parent's memory until then: the parent goes on.
int finish_early(int status) {
  if (!preloaded() || getpid() != own_pid) return status;
  bool tell = options.mode.load() == Mode::report;
  finish();
  void* flush = find_below("hipaudit_flush");
  if (flush != nullptr) reinterpret_cast<void (*)()>(flush)();
  return tell && status == 0 && errors_so_far() != 0 ? 1 : status;
}

// In the order in which they are taken elsewhere.
void lock_all() {
  ledger().mutex.lock();
  lock_zones();
  lock_findings();
  lock_errors();
  lock_options();
  lock_stacks();
  lock_watches();
}

void unlock_all() {
  unlock_watches();
  unlock_stacks();
  unlock_options();
  unlock_errors();
  unlock_findings();
  unlock_zones();
  ledger().mutex.unlock();
}

// What the parent made is the parent's to end.
void begin_child() {
  own_pid = getpid();
  ledger().first_own_serial = ledger().records.last_serial() + 1;
  unlock_all();
  end_all_watches();
}

JsonWriter opened(const char* record, bool final) {
  JsonWriter json;
  json.open('{').key("record").value(record).key("pid").value(static_cast<uint64_t>(getpid()));
  json.key("final").value(final);
  return json;
}

__attribute__((constructor)) void start() {
  own_pid = getpid();
  read_options();
  __register_atfork(lock_all, unlock_all, begin_child, &__dso_handle);
  on_exit(finish_and_exit, nullptr);
  annotate_the_device();
}

__attribute__((destructor)) void end() {
  if (!preloaded()) finish();
}

}  // namespace

std::string memory_record(bool final) {
  JsonWriter json = opened("memory", final);
  Locked lock(ledger().mutex);
  ledger().totals.put(json);
  return json.close('}').text();
}

std::string copies_record(bool final) {
  JsonWriter json = opened("copies", final);
  Locked lock(ledger().mutex);
  ledger().traffic.put_copies(json);
  return json.close('}').text();
}

std::string waits_record(bool final) {
  JsonWriter json = opened("synchronisations", final);
  Locked lock(ledger().mutex);
  ledger().traffic.put_waits(json);
  return json.close('}').text();
}

void write_sums(bool final) {
  report_repeats();
  append_to_journal(memory_record(final));
  append_to_journal(copies_record(final));
  append_to_journal(waits_record(final));
}

}  // namespace hipaudit::ledger

HIPAUDIT_EXPORT void _exit(int status) {
  syscall(SYS_exit_group, hipaudit::ledger::finish_early(status));
  __builtin_unreachable();
}
