#include "errors.h"

#include <map>
#include <vector>

#include "../device/sync.h"
#include "below.h"
#include "findings.h"
#include "python.h"

namespace hipaudit::ledger {
namespace {

// Of a thread that ignores more errors than these the rest are not kept.
constexpr size_t kMostKept = 1000;

Mutex mutex;
std::map<uint32_t, std::vector<Finding>>* const ignored =
    new std::map<uint32_t, std::vector<Finding>>;

// Answers rather than failures, which callers commonly provoke.
bool is_answer(hipError_t status) {
  return status == hipSuccess || status == hipErrorNotReady ||
         status == hipErrorHostMemoryAlreadyRegistered ||
         status == hipErrorHostMemoryNotRegistered || status == hipErrorNoDevice;
}

}  // namespace

hipError_t ended(const Call& call, hipError_t status) {
  // What was reported needs no second finding for its status.
  if (!call.tracked || is_answer(status) || call.reported) return status;
  if (!drops_result(*call.thread)) return status;
  static Below<decltype(hipGetErrorName)> name("hipGetErrorName");
  Finding finding;
  finding.kind = "api-error-ignored";
  finding.call = call.name;
  finding.stack = call.stack;
  finding.message = std::string(call.name) + " failed with " + name(status) +
                    ", and the program went on without looking at it";
  Locked lock(mutex);
  std::vector<Finding>& kept = (*ignored)[call.thread->id];
  if (kept.size() < kMostKept) kept.push_back(finding);
  return status;
}

void errors_were_fetched() {
  Locked lock(mutex);
  ignored->erase(this_thread().id);
}

void report_ignored_errors() {
  std::map<uint32_t, std::vector<Finding>> found;
  {
    Locked lock(mutex);
    found.swap(*ignored);
  }
  for (const auto& [thread, findings] : found)
    for (const Finding& finding : findings) report(finding);
}

void lock_errors() { mutex.lock(); }
void unlock_errors() { mutex.unlock(); }

}  // namespace hipaudit::ledger
