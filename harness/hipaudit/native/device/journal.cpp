#include "journal.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <map>

#include "annotation.h"
#include "export.h"
#include "json.h"
#include "settings.h"
#include "sync.h"

// pthread_atfork under its own name is not in every C library's shared part.
extern "C" int __register_atfork(void (*prepare)(), void (*parent)(), void (*child)(), void* dso);
extern "C" void* __dso_handle;

namespace hipaudit {
namespace {

Mutex mutex;

struct Sum {
  LaunchCount count;
  uint64_t launches = 0;
};

std::map<std::string, Sum>& sums() {
  static auto* map = new std::map<std::string, Sum>;
  return *map;
}

// A process that is killed loses what came since the last time alone.
constexpr uint64_t kMostUnwrittenMs = 100;
uint64_t last_written_ms = 0;

uint64_t now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

void put_index(JsonWriter& json, const char* key, const uint32_t (&index)[3]) {
  json.key(key).open('[');
  for (uint32_t value : index) json.value(value);
  json.close(']');
}

void put_place(JsonWriter& json, const char* key, const std::optional<Place>& place) {
  json.key(key);
  if (!place) {
    json.null();
    return;
  }
  json.open('{');
  json.key("object").value(place->object).key("pc").value(place->pc);
  put_index(json, "block", place->block);
  put_index(json, "thread", place->thread);
  json.key("wave").value(place->wave).key("lane").value(place->lane).close('}');
}

void put_or_null(JsonWriter& json, const char* key, const std::string& text) {
  json.key(key);
  if (text.empty())
    json.null();
  else
    json.value(text);
}

void put_allocation(JsonWriter& json, const std::optional<AllocationNote>& note) {
  json.key("allocation");
  if (!note) {
    json.null();
    return;
  }
  json.open('{').key("name").value(note->name).key("address").value(note->address);
  json.key("size").value(note->size).key("offset").value(note->offset);
  if (note->address != 0) json.raw(annotation(note->address));
  json.close('}');
}

}  // namespace

void journal_line(const std::string& line) {
  std::string path = settings().journal;
  if (path.empty()) return;
  int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return;
  std::string text = line + "\n";
  if (write(file, text.data(), text.size()) < 0) perror("hipaudit: journal");
  close(file);
}

void journal_finding(const Finding& finding) {
  Settings now = settings();
  if (now.journal.empty()) {
    fprintf(stderr, "hipaudit: %s: %s%s%s\n", finding.kind.c_str(), finding.kernel.c_str(),
            finding.kernel.empty() ? "" : ": ", finding.message.c_str());
    return;
  }
  JsonWriter json;
  json.open('{').key("record").value("finding").key("kind").value(finding.kind);
  json.key("severity").value(finding.severity);
  put_or_null(json, "kernel", finding.kernel);
  json.key("arch").value(now.arch).key("build").value(build_name(now.build));
  json.key("count").value(finding.count).key("message").value(finding.message);
  put_or_null(json, "address_space", finding.address_space);
  put_or_null(json, "access", finding.access);
  json.key("bytes").value(finding.bytes);
  put_allocation(json, finding.allocation);
  put_place(json, "location", finding.location);
  put_place(json, "other_location", finding.other_location);
  json.raw(annotation(0)).close('}');
  journal_line(json.text());
}

namespace {

void write_launches() {
  last_written_ms = now_ms();
  for (const auto& [key, sum] : sums()) {
    JsonWriter json;
    json.open('{').key("record").value("launch").key("kernel").value(sum.count.kernel);
    json.key("arch").value(sum.count.arch).key("build").value(sum.count.build);
    json.key("launches").value(sum.launches).key("threads").value(sum.count.threads);
    json.key("accesses").value(sum.count.accesses).key("moved").value(sum.count.moved);
    json.key("launch_ms").value(sum.count.launch_ms);
    json.close('}');
    journal_line(json.text());
  }
  sums().clear();
}

}  // namespace

void journal_launch(const LaunchCount& count) {
  Locked lock(mutex);
  Sum& sum = sums()[count.kernel + '\n' + count.arch + '\n' + count.build];
  LaunchCount before = sum.count;
  sum.count = count;
  sum.count.threads += before.threads;
  sum.count.accesses += before.accesses;
  sum.count.moved += before.moved;
  sum.count.launch_ms += before.launch_ms;
  ++sum.launches;
  if (now_ms() - last_written_ms >= kMostUnwrittenMs) write_launches();
}

void journal_flush() {
  Locked lock(mutex);
  write_launches();
}

namespace {

void lock_for_fork() { mutex.lock(); }
void unlock_in_parent() { mutex.unlock(); }

// What the parent launched is the parent's to write.
void begin_in_child() {
  sums().clear();
  mutex.unlock();
}

struct Process {
  Process() { __register_atfork(lock_for_fork, unlock_in_parent, begin_in_child, &__dso_handle); }
  ~Process() { journal_flush(); }
} process;

}  // namespace
}  // namespace hipaudit

HIPAUDIT_EXPORT void hipaudit_flush() { hipaudit::journal_flush(); }
