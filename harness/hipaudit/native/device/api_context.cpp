// Contexts, as far as programs written for the driver API need them: a handle and a stack a thread.
#include <set>

#include "../include/hip/hip_runtime_api.h"
#include "device_state.h"
#include "error.h"
#include "export.h"
#include "sync.h"

struct ihipCtx_t {
  unsigned int flags;
};

namespace hipaudit {
namespace {

constexpr unsigned int kApiVersion = 4;  // what ROCm's runtime answers
constexpr int kMaxDepth = 16;

Mutex mutex;
ihipCtx_t primary{0};
std::set<hipCtx_t>* const contexts = new std::set<hipCtx_t>{&primary};

// The thread's stack of contexts. The primary one lies beneath it.
thread_local hipCtx_t stack[kMaxDepth];
thread_local int depth = 0;

bool valid(hipCtx_t context) {
  Locked lock(mutex);
  return contexts->count(context) != 0;
}

hipCtx_t current() { return depth > 0 ? stack[depth - 1] : &primary; }

hipError_t push(hipCtx_t context) {
  if (!valid(context)) return hipErrorInvalidContext;
  if (depth == kMaxDepth) return hipErrorInvalidValue;
  stack[depth++] = context;
  return hipSuccess;
}

}  // namespace
}  // namespace hipaudit

using hipaudit::set_error;
using hipaudit::valid_device;

HIPAUDIT_EXPORT hipError_t hipCtxCreate(hipCtx_t* context, unsigned int flags, hipDevice_t device) {
  if (context == nullptr) return set_error(hipErrorInvalidValue);
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  auto* made = new ihipCtx_t{flags};
  {
    hipaudit::Locked lock(hipaudit::mutex);
    hipaudit::contexts->insert(made);
  }
  *context = made;
  return set_error(hipaudit::push(made));
}

HIPAUDIT_EXPORT hipError_t hipCtxDestroy(hipCtx_t context) {
  if (context == nullptr || context == &hipaudit::primary) return set_error(hipErrorInvalidValue);
  {
    hipaudit::Locked lock(hipaudit::mutex);
    if (hipaudit::contexts->erase(context) == 0) return set_error(hipErrorInvalidContext);
  }
  if (hipaudit::current() == context) --hipaudit::depth;
  delete context;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipCtxPushCurrent(hipCtx_t context) {
  return set_error(hipaudit::push(context));
}

HIPAUDIT_EXPORT hipError_t hipCtxPopCurrent(hipCtx_t* context) {
  if (context == nullptr) return set_error(hipErrorInvalidContext);
  *context = hipaudit::current();
  if (hipaudit::depth > 0) --hipaudit::depth;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipCtxSetCurrent(hipCtx_t context) {
  if (hipaudit::depth > 0) --hipaudit::depth;
  return set_error(context == nullptr ? hipSuccess : hipaudit::push(context));
}

HIPAUDIT_EXPORT hipError_t hipCtxGetCurrent(hipCtx_t* context) {
  if (context == nullptr) return set_error(hipErrorInvalidValue);
  *context = hipaudit::current();
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipCtxGetDevice(hipDevice_t* device) { return hipGetDevice(device); }

HIPAUDIT_EXPORT hipError_t hipCtxGetApiVersion(hipCtx_t, unsigned int* version) {
  if (version == nullptr) return set_error(hipErrorInvalidValue);
  *version = hipaudit::kApiVersion;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipCtxGetFlags(unsigned int* flags) { return hipGetDeviceFlags(flags); }

HIPAUDIT_EXPORT hipError_t hipCtxSynchronize() { return set_error(hipaudit::synchronize_device()); }

HIPAUDIT_EXPORT hipError_t hipDevicePrimaryCtxRetain(hipCtx_t* context, hipDevice_t device) {
  if (context == nullptr) return set_error(hipErrorInvalidValue);
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  *context = &hipaudit::primary;
  return set_error(hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipDevicePrimaryCtxRelease(hipDevice_t device) {
  return set_error(valid_device(device) ? hipSuccess : hipErrorInvalidDevice);
}

HIPAUDIT_EXPORT hipError_t hipDevicePrimaryCtxGetState(hipDevice_t device, unsigned int* flags,
                                                       int* active) {
  if (!valid_device(device)) return set_error(hipErrorInvalidDevice);
  if (flags != nullptr) *flags = 0;
  if (active != nullptr) *active = hipaudit::current() == &hipaudit::primary ? 1 : 0;
  return set_error(hipSuccess);
}
