// Modules, the variables and functions in them, and launches.
#include "../device/export.h"
#include "below.h"
#include "launches.h"
#include "ledger.h"
#include "options.h"

namespace hipaudit::ledger {
namespace {

uint64_t number(const void* handle) { return reinterpret_cast<uintptr_t>(handle); }

template <typename Forward>
hipError_t load(const char* name, hipModule_t* out, Forward forward) {
  Call call(name);
  hipError_t status = forward();
  if (call.tracked && status == hipSuccess && out != nullptr)
    enter(call, {Kind::module, number(*out)});
  return ended(call, status);
}

// A module's variables end with it.
void end_globals(const Call& call, uint64_t module) {
  Locked lock(ledger().mutex);
  std::vector<Record*> ended;
  ledger().records.each_live([&](Record& record) {
    if (record.kind == Kind::global && record.owning_module == module) ended.push_back(&record);
  });
  for (Record* record : ended) {
    record->death_call = call.name;
    record->death_stack = call.stack;
    ledger().records.bury(*record);
  }
}

}  // namespace

HIPAUDIT_EXPORT hipError_t hipModuleLoad(hipModule_t* module, const char* path) {
  static constinit Below<decltype(hipModuleLoad)> below("hipModuleLoad");
  return load("hipModuleLoad", module, [&] { return below(module, path); });
}

HIPAUDIT_EXPORT hipError_t hipModuleLoadData(hipModule_t* module, const void* image) {
  static constinit Below<decltype(hipModuleLoadData)> below("hipModuleLoadData");
  return load("hipModuleLoadData", module, [&] { return below(module, image); });
}

HIPAUDIT_EXPORT hipError_t hipModuleLoadDataEx(hipModule_t* module, const void* image,
                                               unsigned int count, hipJitOption* options,
                                               void** values) {
  static constinit Below<decltype(hipModuleLoadDataEx)> below("hipModuleLoadDataEx");
  return load("hipModuleLoadDataEx", module,
              [&] { return below(module, image, count, options, values); });
}

HIPAUDIT_EXPORT hipError_t hipModuleUnload(hipModule_t module) {
  static constinit Below<decltype(hipModuleUnload)> below("hipModuleUnload");
  Call call("hipModuleUnload");
  if (!call.tracked || module == nullptr) return below(module);
  int device = current_device(*call.thread);
  {
    // Whether it waits HIP's text does not say.
    Locked lock(ledger().mutex);
    ledger().order.host_waits(ledger().order.pending_on(device));
  }
  end_functions(call, number(module));
  end_globals(call, number(module));
  return end_life(
      {call, number(module), only(Kind::module), Kind::module}, [&] { return below(module); },
      [&] { return below(nullptr); });
}

HIPAUDIT_EXPORT hipError_t hipModuleGetFunction(hipFunction_t* function, hipModule_t module,
                                                const char* name) {
  static constinit Below<decltype(hipModuleGetFunction)> below("hipModuleGetFunction");
  hipError_t status = below(function, module, name);
  if (tracking() && status == hipSuccess && function != nullptr)
    enter_function(*function, number(module));
  return status;
}

HIPAUDIT_EXPORT hipError_t hipModuleGetGlobal(void** address, size_t* bytes, hipModule_t module,
                                              const char* name) {
  static constinit Below<decltype(hipModuleGetGlobal)> below("hipModuleGetGlobal");
  Call call("hipModuleGetGlobal");
  void* start = nullptr;
  size_t size = 0;
  hipError_t status = below(&start, &size, module, name);
  if (status == hipSuccess && address != nullptr) *address = start;
  if (status == hipSuccess && bytes != nullptr) *bytes = size;
  if (!call.tracked || status != hipSuccess || start == nullptr) return status;
  {
    Locked lock(ledger().mutex);
    const Record* known = ledger().records.find_memory(number(start));
    if (known != nullptr && known->live) return status;
  }
  enter(call, {Kind::global, number(start), size});
  Locked lock(ledger().mutex);
  if (Record* record = ledger().records.find_memory(number(start)))
    record->owning_module = number(module);
  return status;
}

HIPAUDIT_EXPORT hipError_t hipModuleLaunchKernel(hipFunction_t function, unsigned int grid_x,
                                                 unsigned int grid_y, unsigned int grid_z,
                                                 unsigned int block_x, unsigned int block_y,
                                                 unsigned int block_z, unsigned int shared,
                                                 hipStream_t stream, void** parameters,
                                                 void** extra) {
  static constinit Below<decltype(hipModuleLaunchKernel)> below("hipModuleLaunchKernel");
  return run_launch("hipModuleLaunchKernel", {function, stream, parameters, extra}, [&] {
    return below(function, grid_x, grid_y, grid_z, block_x, block_y, block_z, shared, stream,
                 parameters, extra);
  });
}

HIPAUDIT_EXPORT hipError_t hipModuleLaunchCooperativeKernel(
    hipFunction_t function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z,
    unsigned int block_x, unsigned int block_y, unsigned int block_z, unsigned int shared,
    hipStream_t stream, void** parameters) {
  static constinit Below<decltype(hipModuleLaunchCooperativeKernel)> below(
      "hipModuleLaunchCooperativeKernel");
  return run_launch("hipModuleLaunchCooperativeKernel", {function, stream, parameters, nullptr},
                    [&] {
                      return below(function, grid_x, grid_y, grid_z, block_x, block_y, block_z,
                                   shared, stream, parameters);
                    });
}

HIPAUDIT_EXPORT hipError_t hipLaunchKernel(const void* function, dim3 grid, dim3 block,
                                           void** parameters, size_t shared, hipStream_t stream) {
  static constinit Below<decltype(hipLaunchKernel)> below("hipLaunchKernel");
  return run_launch("hipLaunchKernel", {function, stream, parameters, nullptr},
                    [&] { return below(function, grid, block, parameters, shared, stream); });
}

HIPAUDIT_EXPORT hipError_t hipLaunchCooperativeKernel(const void* function, dim3 grid, dim3 block,
                                                      void** parameters, unsigned int shared,
                                                      hipStream_t stream) {
  static constinit Below<decltype(hipLaunchCooperativeKernel)> below("hipLaunchCooperativeKernel");
  return run_launch("hipLaunchCooperativeKernel", {function, stream, parameters, nullptr},
                    [&] { return below(function, grid, block, parameters, shared, stream); });
}

HIPAUDIT_EXPORT hipError_t hipExtLaunchKernel(const void* function, dim3 grid, dim3 block,
                                              void** parameters, size_t shared, hipStream_t stream,
                                              hipEvent_t start, hipEvent_t stop, int flags) {
  static constinit Below<decltype(hipExtLaunchKernel)> below("hipExtLaunchKernel");
  hipError_t status = run_launch(
      "hipExtLaunchKernel", {function, stream, parameters, nullptr},
      [&] { return below(function, grid, block, parameters, shared, stream, start, stop, flags); });
  if (!tracking() || status != hipSuccess || stop == nullptr) return status;
  Locked lock(ledger().mutex);
  Thread& thread = this_thread();
  ledger().order.record(number(stop), ledger().order.slot_of(stream, thread, 0));
  return status;
}

}  // namespace hipaudit::ledger
