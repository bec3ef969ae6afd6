#include "findings.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <tuple>
#include <vector>

#include "../device/sync.h"
#include "options.h"
#include "stacks.h"
#include "thread.h"

namespace hipaudit::ledger {
namespace {

// More root causes than these are counted, not told apart.
constexpr size_t kMostCauses = 4096;

using Cause = std::tuple<std::string, uint32_t, uint32_t, std::string, std::string>;

struct Seen {
  Finding first;
  uint64_t again = 0;
};

Mutex mutex;
std::map<Cause, Seen>* const causes = new std::map<Cause, Seen>;
std::atomic<uint64_t> findings{0};
std::atomic<uint64_t> errors{0};

void put_text(JsonWriter& json, const char* key, const std::string& text) {
  json.key(key);
  if (text.empty())
    json.null();
  else
    json.value(text);
}

void put_text(JsonWriter& json, const char* key, const char* text) {
  put_text(json, key, std::string(text != nullptr ? text : ""));
}

void put_subject(JsonWriter& json, const std::optional<Subject>& subject) {
  json.key("allocation");
  if (!subject) {
    json.null();
    return;
  }
  const Record& record = subject->record;
  json.open('{').key("name");
  json.value(std::string(kind_title(record.kind)) + " " + std::to_string(record.number));
  json.key("address").value(record.address).key("size").value(record.size);
  json.key("offset").value(subject->offset);
  put_life(json, *subject);
  json.close('}');
}

std::string as_json(const Finding& finding) {
  JsonWriter json;
  json.open('{').key("record").value("finding").key("source").value("ledger");
  json.key("kind").value(finding.kind).key("severity").value(finding.severity);
  put_text(json, "kernel", finding.kernel);
  json.key("arch").value("").key("build").value("").key("count").value(finding.count);
  json.key("message").value(finding.message);
  bool memory = finding.subject && is_memory(finding.subject->record.kind);
  put_text(json, "address_space", memory ? "global" : nullptr);
  put_text(json, "access", finding.access);
  json.key("bytes").value(finding.bytes);
  put_subject(json, finding.subject);
  json.key("location").null().key("other_location").null();
  put_text(json, "call", finding.call);
  json.key("stack");
  put_stack(json, finding.stack);
  put_text(json, "other_call", finding.other_call);
  json.key("other_stack");
  if (finding.other_call != nullptr)
    put_stack(json, finding.other_stack);
  else
    json.null();
  put_text(json, "stream", finding.stream);
  put_text(json, "other_stream", finding.other_stream);
  json.key("thread").value(this_thread().id).key("pid").value(static_cast<uint64_t>(getpid()));
  return json.close('}').text();
}

void print_side(const char* what, const char* call, uint32_t stack) {
  std::vector<Frame> frames = frames_of(stack);
  if (frames.empty()) return;
  fprintf(stderr, "  %s%s%s\n", what, call != nullptr ? " by " : "", call != nullptr ? call : "");
  for (const Frame& frame : frames)
    fprintf(stderr, frame.python ? "    %s:%llu in %s\n" : "    %s+0x%llx %s\n", frame.file.c_str(),
            static_cast<unsigned long long>(frame.line), frame.function.c_str());
}

void print(const Finding& finding) {
  fprintf(stderr, "hipaudit: %s: %s%s%s", finding.kind, finding.kernel.c_str(),
          finding.kernel.empty() ? "" : ": ", finding.message.c_str());
  if (finding.count > 1)
    fprintf(stderr, " (%llu times)", static_cast<unsigned long long>(finding.count));
  fputc('\n', stderr);
  print_side("here", finding.call, finding.stack);
  print_side("other side", finding.other_call, finding.other_stack);
  if (!finding.subject) return;
  print_side("made", finding.subject->born_call, finding.subject->born_stack);
  if (finding.subject->record.death_call != nullptr)
    print_side("freed", finding.subject->record.death_call, finding.subject->record.death_stack);
}

void write_out(const Finding& finding) {
  bool kept = append_to_journal(as_json(finding));
  if (!kept || options.mode.load() == Mode::report) print(finding);
}

void count(const Finding& finding) {
  ++findings;
  if (finding.severity[0] == 'e') ++errors;
}

}  // namespace

bool append_to_journal(const std::string& line) {
  std::string path = journal_path();
  if (path.empty()) return false;
  int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return true;  // its folder is gone, and with it whoever would read it
  std::string text = line + "\n";
  if (write(file, text.data(), text.size()) < 0) perror("hipaudit: journal");
  close(file);
  return true;
}

std::string title(const Record& record) {
  std::string text = std::string(kind_title(record.kind)) + " " + std::to_string(record.number);
  if (!is_memory(record.kind)) return text;
  return text + " (" + std::to_string(record.size) + (record.size == 1 ? " byte)" : " bytes)");
}

void put_life(JsonWriter& json, const Subject& subject) {
  const Record& record = subject.record;
  json.key("kind").value(kind_name(record.kind)).key("serial").value(record.serial);
  json.key("device").value(uint32_t{record.device}).key("born");
  put_stack(json, subject.born_stack);
  json.key("born_call").value(subject.born_call).key("freed");
  if (record.death_call != nullptr)
    put_stack(json, record.death_stack);
  else
    json.null();
  put_text(json, "freed_call", record.death_call);
}

void report(const Finding& finding) {
  if (Call* call = this_thread().call) call->reported = true;
  {
    Locked lock(mutex);
    count(finding);
    Cause cause{finding.kind, finding.stack, finding.other_stack, finding.kernel,
                finding.call != nullptr ? finding.call : ""};
    auto found = causes->find(cause);
    if (found != causes->end()) {
      ++found->second.again;
      return;
    }
    if (causes->size() >= kMostCauses) return;
    causes->emplace(cause, Seen{finding, 0});
  }
  write_out(finding);
}

void report_again(const Finding& finding) {
  {
    Locked lock(mutex);
    count(finding);
  }
  write_out(finding);
}

void report_repeats() {
  std::vector<Finding> repeated;
  {
    Locked lock(mutex);
    for (auto& [cause, seen] : *causes) {
      if (seen.again == 0) continue;
      repeated.push_back(seen.first);
      repeated.back().count = seen.again;
      seen.again = 0;
    }
  }
  for (const Finding& finding : repeated) write_out(finding);
}

uint64_t findings_so_far() { return findings.load(); }
uint64_t errors_so_far() { return errors.load(); }

void lock_findings() { mutex.lock(); }
void unlock_findings() { mutex.unlock(); }

}  // namespace hipaudit::ledger
