#include "ledger.h"

#include "below.h"
#include "host_access.h"
#include "options.h"
#include "uses.h"
#include "watch.h"

namespace hipaudit::ledger {
namespace {

Ledger* const instance = new Ledger;

std::string hexadecimal(uint64_t value) {
  char text[24];
  snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

Finding finding_about(const Death& death, const char* kind, const Record* record) {
  Finding finding;
  finding.kind = kind;
  finding.access = "free";
  finding.call = death.call.name;
  finding.stack = death.call.stack;
  if (record == nullptr) return finding;
  finding.subject = subject_of(*record, death.address);
  finding.bytes = record->size;
  return finding;
}

Finding freed_twice(const Death& death, const Record& record) {
  Finding finding = finding_about(death, "double-free", &record);
  finding.message = std::string(death.call.name) + " of " + title(record) + ", which " +
                    record.death_call + " freed before";
  finding.other_call = record.death_call;
  finding.other_stack = record.death_stack;
  return finding;
}

Finding inside(const Death& death, const Record& record) {
  Finding finding = finding_about(death, "invalid-free", &record);
  finding.message = std::string(death.call.name) + " of an address " +
                    std::to_string(death.address - record.address) + " bytes inside " +
                    title(record) + (record.live ? "" : ", which was freed before") +
                    ": only its start can be freed";
  return finding;
}

Finding mismatched(const Death& death, const Record& record) {
  Finding finding = finding_about(death, "mismatched-free", &record);
  const char* made = instance->totals.at(record.site).call;
  finding.message =
      std::string(death.call.name) + " of " + title(record) + ", which " + made + " made";
  finding.other_call = made;
  finding.other_stack = instance->totals.at(record.site).stack;
  return finding;
}

Finding ended_in_flight(const Death& death, const Record& record, const Access& before) {
  Finding finding = finding_about(death, "free-in-flight", &record);
  finding.other_call = before.call;
  finding.other_stack = before.stack;
  finding.other_stream = instance->order.name_of(before.slot);
  finding.message = std::string(death.call.name) + " of " + title(record) + " while " +
                    (*before.kernel != '\0' ? before.kernel : before.call) + " on " +
                    finding.other_stream + " may use it: the host did not wait";
  return finding;
}

Finding unknown(const Death& death, hipError_t status) {
  Finding finding = finding_about(death, "invalid-free", nullptr);
  const char* what = death.handle == Kind::device ? "no allocation starts there" : "it is unknown";
  finding.message = std::string(death.call.name) + " of " + hexadecimal(death.address) + ": " +
                    what + " (status " + std::to_string(status) + ")";
  return finding;
}

// Statuses by which a library says that it knows no such thing; others are left from earlier work.
bool says_unknown(hipError_t status) {
  return status == hipErrorInvalidValue || status == hipErrorInvalidDevicePointer ||
         status == hipErrorInvalidHandle || status == hipErrorHostMemoryNotRegistered ||
         status == hipErrorContextIsDestroyed || status == hipErrorNotFound;
}

// What is still under way when memory ends.
void check_order(const Death& death, Record& record, Verdict& verdict) {
  Order& order = instance->order;
  if (death.ordered) {
    int slot = slot_of(death.call, death.stream);
    if (order.advance(slot, *death.call.thread))
      note_use(record, access_by(death.call, slot, Use::free, 0, record.size), &verdict.findings);
  } else if (death.waits) {
    if (is_host(record.kind)) note_unseen_writes(death.call, record, &verdict.findings);
    verdict.waited = order.pending_on(record.device);
  } else if (record.history != nullptr) {
    const Clock* seen = death.call.thread->seen;
    for (const Access& before : record.history->accesses) {
      if (order.before_host(before.slot, before.epoch)) continue;
      if (seen != nullptr && Order::has(*seen, before.slot, before.epoch)) continue;
      verdict.findings.push_back(ended_in_flight(death, record, before));
    }
  }
}

void mark_dead(const Death& death, Record& record, Verdict& verdict) {
  if (is_memory(record.kind)) end_watches(record.address, record.address + record.size);
  if (is_memory(record.kind)) check_order(death, record, verdict);
  verdict.entered = true;
  record.death_call = death.call.name;
  record.death_stack = death.call.stack;
  verdict.freed = record;
  verdict.freed.history = nullptr;
  if (is_memory(record.kind)) instance->totals.died(record);
  if (!instance->expected.empty()) instance->expected.erase(record.serial);
  instance->records.bury(record);
}

// HIP says of hipFree and hipHostFree that they wait for the device.
void note_hidden_wait(const Death& death, const Clock& waited) {
  Locked lock(instance->mutex);
  Order& order = instance->order;
  int slot = slot_of(death.call, nullptr);
  bool needless = covers(order.host(), waited);
  order.host_waits(waited);
  WaitNote note{"freeing memory waits for the device", true, needless};
  instance->traffic.note_wait(death.call, order.lane(slot), "all streams", note);
}

Record* find_subject(const Death& death) {
  if (death.handle != Kind::device)
    return instance->records.find_handle(death.address, death.handle);
  return instance->records.find_memory(death.address);
}

}  // namespace

Ledger& ledger() { return *instance; }

Subject subject_of(const Record& record, uint64_t address) {
  const Site& site = instance->totals.at(record.site);
  Subject subject;
  subject.record = record;
  subject.born_stack = site.stack;
  subject.born_call = site.call;
  subject.offset = static_cast<int64_t>(address - record.address);
  return subject;
}

hipError_t refuse() {
  static Below<decltype(hipMalloc)> below("hipMalloc");
  return below(nullptr, 1);
}

int current_device(Thread& thread) {
  static Below<decltype(hipGetDevice)> below("hipGetDevice");
  if (thread.device < 0 && below(&thread.device) != hipSuccess) thread.device = 0;
  return thread.device;
}

void enter(const Call& call, const Birth& birth) {
  int device = current_device(*call.thread);
  // What the host does with it is seen from now on, its end included.
  if ((birth.kind == Kind::host || birth.kind == Kind::managed) && below_is_emulated() &&
      options.host.load(std::memory_order_relaxed))
    sees_faults();
  Locked lock(instance->mutex);
  // What a graph allocates is the graph's own.
  if (birth.ordered && instance->order.lane(slot_of(call, birth.stream)).capture != 0) return;
  bool memory = is_memory(birth.kind);
  Record& record = memory ? instance->records.add_memory(birth.address, birth.size, birth.kind)
                          : instance->records.add_handle(birth.address, birth.kind);
  record.site = instance->totals.site(call.stack, call.name, birth.kind);
  record.owner = call.thread->id;
  record.device = static_cast<uint8_t>(device);
  record.zone = birth.zone;
  if (memory && birth.kind != Kind::global) instance->totals.born(record);
  if (!birth.ordered) return;
  int slot = slot_of(call, birth.stream);
  std::vector<Finding> none;  // nobody knows of it yet
  if (instance->order.advance(slot, *call.thread))
    note_use(record, access_by(call, slot, Use::write, 0, birth.size), &none);
}

int slot_of(const Call& call, hipStream_t stream) {
  return instance->order.slot_of(stream, *call.thread,
                                 call.thread->device < 0 ? 0 : call.thread->device);
}

void report_all(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) report(finding);
}

Verdict begin_death(const Death& death) {
  Verdict verdict;
  Locked lock(instance->mutex);
  Record* record = find_subject(death);
  if (record != nullptr && !record->live) {
    verdict.forward = false;
    // The right call behind a wrong one that went through: one mistake, which was reported.
    verdict.done = record->freed_wrongly && accepts(death.accepted, record->kind);
    record->freed_wrongly = false;
    if (verdict.done) return verdict;
    verdict.findings.push_back(freed_twice(death, *record));
  } else if (record != nullptr) {
    if (!accepts(death.accepted, record->kind)) {
      verdict.findings.push_back(mismatched(death, *record));
      // What a module or another process owns must not be freed at all.
      verdict.forward = record->kind != Kind::global && record->kind != Kind::ipc;
      record->freed_wrongly = verdict.forward;
    }
    if (verdict.forward) mark_dead(death, *record, verdict);
  } else if (death.handle == Kind::device) {
    Record* holder = instance->records.find_holder(death.address);
    if (holder == nullptr) return verdict;
    verdict.forward = false;
    verdict.findings.push_back(inside(death, *holder));
  }
  return verdict;
}

void end_death(const Death& death, const Verdict& verdict, hipError_t status) {
  if (!verdict.waited.empty()) note_hidden_wait(death, verdict.waited);
  if (status == hipSuccess || !verdict.forward || !says_unknown(status)) return;
  if (!verdict.entered) {
    report(unknown(death, status));
    return;
  }
  Locked lock(instance->mutex);
  Record* record = find_subject(death);
  if (record == nullptr || record->live || record->serial != verdict.freed.serial) return;
  record->death_call = nullptr;
  record->freed_wrongly = false;
  instance->records.revive(*record);
  if (is_memory(record->kind)) instance->totals.unborn(*record);
}

bool fails(Failing kind) {
  uint64_t fail_at = options.fail_at.load(std::memory_order_relaxed);
  if (fail_at == 0 || options.failing != kind) return false;
  return ++options.asked == fail_at;
}

bool refuses(uint64_t bytes) {
  if (bytes != 0 && fails(Failing::allocations)) return true;
  uint64_t budget = options.budget.load(std::memory_order_relaxed);
  if (budget == 0) return false;
  Locked lock(instance->mutex);
  uint64_t used = instance->totals.live().bytes;
  return used > budget || bytes > budget - used;
}

}  // namespace hipaudit::ledger
