// Launches: which allocations a kernel was given, and what it did to them as far as that is known.
#pragma once

#include "changes.h"
#include "errors.h"
#include "handles.h"
#include "ledger.h"

namespace hipaudit::ledger {

// Memory that a kernel was given.
struct Given {
  uint64_t address = 0;
  bool constant = false;  // its parameter says that it only reads
  bool exact = false;     // the parameter is known to be a pointer
  uint64_t element = 1;   // bytes of a number that is written as one
};

struct Launch {
  std::string kernel;
  hipStream_t stream = nullptr;
  std::vector<Given> given;
};

// A launch as it is asked for; `function` is the handle, or the address of a host stub.
struct Request {
  const void* function;
  hipStream_t stream;
  void** parameters;
  void** extra;
};

Launch read_launch(const Request& request);

// False when it must not go on to the device: what is wrong was reported.
bool check_launch(const Call& call, const Launch& launch, const void* function);

// The kernel is about to use what it was given.
void lift_given(const Call& call, const Launch& launch);

// What memory held before a launch, to see what the launch wrote.
constexpr size_t kMostRemembered = size_t{64} << 20;
std::vector<Before> remember(const Launch& launch);

// The launch was accepted.
void note_launch(const Call& call, const Launch& launch, const std::vector<Before>& before);

// The library below did not take the launch; a limit that was broken is reported, unless it did so.
void note_refused_launch(const Call& call, const Launch& launch, hipError_t status);

// Functions belong to modules, and end with them.
void enter_function(const void* function, uint64_t module);
void end_functions(const Call& call, uint64_t module);

template <typename Forward>
hipError_t run_launch(const char* name, const Request& request, Forward forward) {
  Call call(name);
  if (!call.tracked) return forward();
  current_device(*call.thread);
  if (is_over(call, request.stream)) return refuse_handle();
  Launch launch = read_launch(request);
  if (!check_launch(call, launch, request.function)) return refuse();
  if (fails(Failing::launches)) return ended(call, hipErrorOutOfMemory);
  lift_given(call, launch);
  std::vector<Before> before = remember(launch);
  hipError_t status = forward();
  if (status == hipSuccess)
    note_launch(call, launch, before);
  else
    note_refused_launch(call, launch, status);
  return ended(call, status);
}

}  // namespace hipaudit::ledger
