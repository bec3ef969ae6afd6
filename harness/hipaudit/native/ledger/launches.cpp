#include "launches.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "below.h"
#include "changes.h"
#include "graphs.h"
#include "options.h"
#include "reach.h"
#include "uses.h"
#include "watch.h"

namespace hipaudit::ledger {
namespace {

// As the emulated device lays it out too.
struct Parameter {
  uint32_t offset;
  uint32_t size;
  uint32_t is_pointer;
  uint32_t is_const;
  uint32_t element;
};

constexpr int kMostParameters = 256;
constexpr uint64_t kCertain = 8;  // what is used at a pointer: an element

// The buffer of arguments that an `extra` list names; null: it names none.
const char* packed_arguments(void** extra, size_t* size) {
  const void* buffer = nullptr;
  *size = 0;
  for (void** entry = extra; *entry != HIP_LAUNCH_PARAM_END; entry += 2) {
    if (*entry == HIP_LAUNCH_PARAM_BUFFER_POINTER)
      buffer = entry[1];
    else if (*entry == HIP_LAUNCH_PARAM_BUFFER_SIZE)
      *size = *static_cast<size_t*>(entry[1]);
    else
      return nullptr;
  }
  return static_cast<const char*>(buffer);
}

uint64_t word_at(const char* place) {
  uint64_t word = 0;
  memcpy(&word, place, sizeof word);
  return word;
}

// Every word that is an address inside of a live allocation may be a pointer.
void read_words(const char* place, size_t size, Launch* launch) {
  for (size_t at = 0; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t))
    if (word_at(place + at) != 0) launch->given.push_back({word_at(place + at)});
}

// The device says what the parameters are. Structures may have pointers among their members.
void read_described(const Request& request, const Parameter* parameters, int count,
                    Launch* launch) {
  size_t size = 0;
  const char* packed = request.extra != nullptr ? packed_arguments(request.extra, &size) : nullptr;
  for (int i = 0; i < count; ++i) {
    const Parameter& parameter = parameters[i];
    if (parameter.size < sizeof(uint64_t)) continue;
    const char* place = nullptr;
    if (packed != nullptr && parameter.offset + parameter.size <= size)
      place = packed + parameter.offset;
    else if (packed == nullptr && request.parameters != nullptr)
      place = static_cast<const char*>(request.parameters[i]);
    if (place == nullptr) continue;
    if (parameter.is_pointer != 0 && word_at(place) != 0)
      launch->given.push_back(
          {word_at(place), parameter.is_const != 0, true, std::max(parameter.element, 1u)});
    else if (parameter.is_pointer == 0)
      read_words(place, parameter.size, launch);
  }
}

// Nobody says what they are.
void read_undescribed(const Request& request, Launch* launch) {
  size_t size = 0;
  const char* packed = request.extra != nullptr ? packed_arguments(request.extra, &size) : nullptr;
  if (packed != nullptr) read_words(packed, size, launch);
}

struct Functions {
  std::map<const void*, uint64_t> modules;
  std::map<const void*, std::pair<const char*, uint32_t>> ended;  // by which call, and its stack
};

Functions& functions() {
  static auto* known = new Functions;
  return *known;
}

void note_given(const Call& call, int slot, const Launch& launch, const Given& given,
                const std::vector<Before>& before, std::vector<Finding>* findings) {
  Record* record = ledger().records.find_live(given.address);
  if (record == nullptr) return;
  const char* kernel = interned(launch.kernel);
  uint64_t at = given.address - record->address;
  Use use = given.constant ? Use::read : Use::touch;
  for (const Before& one : before) {
    if (one.address != record->address || given.constant) continue;
    Changed bytes = changed(one);
    // What did not change may have been read, and no more is certain.
    use = Use::read;
    if (bytes.first == bytes.end) break;
    ++record->version;
    Access access = access_by(call, slot, Use::write, bytes.first, bytes.end, kernel);
    access.bytes = std::move(bytes.bytes);
    note_use(*record, access, findings);
    return;
  }
  // Of a structure's members a kernel may use some and leave the rest to others.
  if (below_is_emulated() && !given.exact) return;
  if (use == Use::touch) ++record->version;
  uint64_t end = std::min(at + kCertain, record->size);
  note_use(*record, access_by(call, slot, use, at, end, kernel), findings);
}

void capture_launch(const Call& call, int slot, const Launch& launch) {
  for (const Given& given : launch.given) {
    const Record* record = ledger().records.find_live(given.address);
    if (record == nullptr) continue;
    uint64_t at = given.address - record->address;
    Use use = given.constant ? Use::read : Use::touch;
    const char* kernel = interned(launch.kernel);
    capture_use(slot, call, *record, access_by(call, slot, use, at, at + 1, kernel));
  }
}

Finding refusal(const Call& call, const char* kind, const Launch& launch) {
  Finding finding;
  finding.kind = kind;
  finding.kernel = launch.kernel;
  finding.call = call.name;
  finding.stack = call.stack;
  return finding;
}

}  // namespace

Launch read_launch(const Request& request) {
  static Below<decltype(hipKernelNameRef)> name("hipKernelNameRef");
  static Below<int(const void*, Parameter*, int)> describe("hipaudit_parameters");
  Launch launch;
  launch.stream = request.stream;
  {
    Locked lock(ledger().mutex);
    if (functions().ended.count(request.function) != 0) return launch;
    if (!below_is_emulated() && functions().modules.count(request.function) == 0) return launch;
  }
  if (request.function == nullptr) return launch;
  auto* function = static_cast<hipFunction_t>(const_cast<void*>(request.function));
  const char* text = name.exists() ? name(function) : nullptr;
  launch.kernel = text != nullptr ? text : "";
  if (!below_is_emulated()) {
    read_undescribed(request, &launch);
    return launch;
  }
  Parameter parameters[kMostParameters];
  int count = describe(request.function, parameters, kMostParameters);
  if (count >= 0) read_described(request, parameters, std::min(count, kMostParameters), &launch);
  return launch;
}

bool check_launch(const Call& call, const Launch& launch, const void* function) {
  std::vector<Finding> findings;
  {
    Locked lock(ledger().mutex);
    auto ended = functions().ended.find(function);
    if (ended != functions().ended.end()) {
      Finding finding = refusal(call, "use-after-free", launch);
      finding.message = std::string(call.name) + " of a function whose module was unloaded";
      finding.other_call = ended->second.first;
      finding.other_stack = ended->second.second;
      findings.push_back(finding);
    }
    for (const Given& given : launch.given) {
      if (!given.exact || !options.guards.load(std::memory_order_relaxed)) continue;
      Record* record = ledger().records.find_holder(given.address);
      if (record == nullptr || record->live) continue;
      Finding finding = refusal(call, "use-after-free", launch);
      finding.subject = subject_of(*record, given.address);
      finding.message = "the kernel was given " + title(*record) + ", which was freed";
      finding.other_call = record->death_call;
      finding.other_stack = record->death_stack;
      findings.push_back(finding);
    }
  }
  report_all(findings);
  return findings.empty();
}

void lift_given(const Call& call, const Launch& launch) {
  if (!watching()) return;
  Locked lock(ledger().mutex);
  for (const Given& given : launch.given)
    if (const Record* record = ledger().records.find_live(given.address))
      lift_watches(call.thread->id, record->address, record->address + record->size,
                   !given.constant);
}

std::vector<Before> remember(const Launch& launch) {
  std::vector<Before> before;
  if (!below_is_emulated()) return before;
  Locked lock(ledger().mutex);
  if (!ledger().order.concurrent()) return before;
  size_t room = kMostRemembered;
  for (const Given& given : launch.given) {
    Record* record = given.constant ? nullptr : ledger().records.find_live(given.address);
    if (record == nullptr || record->size > room) continue;
    bool known = std::any_of(before.begin(), before.end(),
                             [&](const Before& one) { return one.address == record->address; });
    if (known) continue;
    const auto* start = reinterpret_cast<const char*>(record->address);
    uint64_t element = given.address % given.element == 0 ? given.element : 1;
    before.push_back({record->address, element, std::vector<char>(start, start + record->size)});
    room -= record->size;
  }
  return before;
}

void note_launch(const Call& call, const Launch& launch, const std::vector<Before>& before) {
  std::vector<Finding> findings;
  {
    Locked lock(ledger().mutex);
    int slot = slot_of(call, launch.stream);
    if (!ledger().order.advance(slot, *call.thread)) {
      capture_launch(call, slot, launch);
      return;
    }
    for (const Given& given : launch.given)
      note_given(call, slot, launch, given, before, &findings);
    // The host may poll what the kernel writes, and learn from it that all before it is done.
    if (watching() && may_tell_the_host(launch)) end_watches(ledger().order.lane(slot).clock);
  }
  report_all(findings);
}

void note_refused_launch(const Call& call, const Launch& launch, hipError_t status) {
  bool limit = status == hipErrorInvalidConfiguration || status == hipErrorLaunchOutOfResources ||
               status == hipErrorCooperativeLaunchTooLarge;
  if (!limit || call.reported) return;
  Finding finding = refusal(call, "launch-limit", launch);
  finding.message = std::string(call.name) + " asked for more than the device or the kernel allows";
  report(finding);
}

void enter_function(const void* function, uint64_t module) {
  Locked lock(ledger().mutex);
  functions().modules[function] = module;
  functions().ended.erase(function);
}

void end_functions(const Call& call, uint64_t module) {
  Locked lock(ledger().mutex);
  auto& known = functions().modules;
  for (auto entry = known.begin(); entry != known.end();) {
    if (entry->second == module) {
      functions().ended[entry->first] = {call.name, call.stack};
      entry = known.erase(entry);
    } else {
      ++entry;
    }
  }
}

}  // namespace hipaudit::ledger
