// HIP's C ABI: modules, functions, launches, occupancy.
#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "../include/hip/hip_runtime_api.h"
#include "error.h"
#include "export.h"
#include "kernel_launch.h"
#include "linker.h"
#include "module.h"
#include "profile.h"
#include "stream.h"

namespace hipaudit {
namespace {

Module* module_of(hipModule_t handle) { return reinterpret_cast<Module*>(handle); }
const Function* function_of(hipFunction_t handle) {
  return reinterpret_cast<const Function*>(handle);
}

void complain(const std::string& text) { fprintf(stderr, "hipaudit: %s\n", text.c_str()); }

hipError_t load(hipModule_t* handle, const void* image, size_t available) {
  switch (classify(image, available)) {
    case CodeObject::amd_elf:
    case CodeObject::amd_bundle:
      complain(
          "this code object is machine code of an AMD GPU, which the emulated device cannot "
          "run; compile the source with hiprtc");
      return hipErrorNoBinaryForGpu;
    case CodeObject::truncated:
      complain("the code object is truncated");
      return hipErrorInvalidImage;
    case CodeObject::unknown:
      complain("this is not a code object");
      return hipErrorInvalidImage;
    case CodeObject::ours:
      break;
  }
  SourceUnit unit;
  if (!unpack(image, &unit)) return hipErrorInvalidImage;
  if (unit.arch != settings().arch) {
    complain("the code object was compiled for " + unit.arch + ", the device is " +
             settings().arch);
    return hipErrorNoBinaryForGpu;
  }
  auto* module = new Module(std::move(unit));
  std::string error;
  if (module->image(Variant::of(settings()), &error) == nullptr) {
    complain(error);
    delete module;
    return hipErrorInvalidImage;
  }
  *handle = reinterpret_cast<hipModule_t>(module);
  return hipSuccess;
}

const Kernel* kernel_of(const void* function) {
  std::string error;
  return function == nullptr ? nullptr : resolve(static_cast<const Function*>(function), &error);
}

// Threads that a multiprocessor and the shared memory leave room for, in blocks.
int resident_blocks(const Kernel* kernel, int block_size, size_t dynamic) {
  const Profile& profile = current_profile();
  if (block_size <= 0 || block_size > profile.max_threads_per_block) return 0;
  int waves = (block_size + profile.wave - 1) / profile.wave;
  int by_waves = profile.max_waves_per_multiprocessor() / waves;
  size_t shared = kernel->shared_bytes + dynamic;
  if (shared > profile.lds_bytes) return 0;
  if (shared == 0) return by_waves;
  return std::min(by_waves, static_cast<int>(profile.lds_bytes / shared));
}

hipError_t potential_block_size(int* grid, int* block, const Kernel* kernel, size_t dynamic,
                                int limit) {
  if (kernel == nullptr || grid == nullptr || block == nullptr) return hipErrorInvalidValue;
  const Profile& profile = current_profile();
  int most = profile.max_threads_per_block;
  if (kernel->record->max_threads != 0)
    most = std::min(most, static_cast<int>(kernel->record->max_threads));
  if (limit > 0) most = std::min(most, limit);
  int best = 0;
  int best_threads = 0;
  for (int size = most / profile.wave * profile.wave; size > 0; size -= profile.wave) {
    int threads = resident_blocks(kernel, size, dynamic) * size;
    if (threads <= best_threads) continue;
    best = size;
    best_threads = threads;
  }
  *block = best == 0 ? most : best;
  *grid = resident_blocks(kernel, *block, dynamic) * profile.multiprocessors;
  return hipSuccess;
}

LaunchShape shape_of(dim3 grid, dim3 block, size_t shared, bool cooperative) {
  return {{grid.x, grid.y, grid.z},
          {block.x, block.y, block.z},
          static_cast<uint32_t>(shared),
          cooperative};
}

// In the stream's order: launches of other host threads on it wait.
hipError_t launch_on(hipStream_t stream, const Function* function, const LaunchShape& shape,
                     void** parameters, void** extra) {
  if (!valid_stream(stream)) return set_error(hipErrorInvalidHandle);
  StreamTurn turn(stream);
  return set_error(launch_kernel(function, shape, parameters, extra));
}

}  // namespace
}  // namespace hipaudit

using namespace hipaudit;

HIPAUDIT_EXPORT hipError_t hipModuleLoadData(hipModule_t* module, const void* image) {
  if (module == nullptr || image == nullptr) return set_error(hipErrorInvalidValue);
  return set_error(load(module, image, 0));
}

HIPAUDIT_EXPORT hipError_t hipModuleLoadDataEx(hipModule_t* module, const void* image, unsigned int,
                                               hipJitOption*, void**) {
  return hipModuleLoadData(module, image);
}

HIPAUDIT_EXPORT hipError_t hipModuleLoad(hipModule_t* module, const char* path) {
  if (module == nullptr || path == nullptr) return set_error(hipErrorInvalidValue);
  std::vector<char> bytes;
  if (!read_file(path, &bytes)) return set_error(hipErrorFileNotFound);
  return set_error(load(module, bytes.data(), bytes.size()));
}

HIPAUDIT_EXPORT hipError_t hipModuleUnload(hipModule_t module) {
  if (module == nullptr) return set_error(hipErrorInvalidResourceHandle);
  delete module_of(module);
  return hipSuccess;
}

HIPAUDIT_EXPORT hipError_t hipModuleGetFunction(hipFunction_t* function, hipModule_t module,
                                                const char* name) {
  if (function == nullptr || name == nullptr) return set_error(hipErrorInvalidValue);
  if (module == nullptr) return set_error(hipErrorInvalidResourceHandle);
  std::string error;
  Function* found = module_of(module)->function(name, &error);
  if (!error.empty()) complain(error);
  *function = reinterpret_cast<hipFunction_t>(found);
  return set_error(found == nullptr ? hipErrorNotFound : hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipModuleGetFunctionCount(unsigned int* count, hipModule_t module) {
  if (count == nullptr || module == nullptr) return set_error(hipErrorInvalidValue);
  std::string error;
  Image* image = module_of(module)->image(Variant::of(settings()), &error);
  if (image == nullptr) return set_error(hipErrorInvalidImage);
  *count = static_cast<unsigned int>(image->kernels().size());
  return hipSuccess;
}

HIPAUDIT_EXPORT hipError_t hipModuleGetGlobal(void** address, size_t* bytes, hipModule_t module,
                                              const char* name) {
  if (module == nullptr || name == nullptr) return set_error(hipErrorInvalidValue);
  std::string error;
  Image* image = module_of(module)->image(Variant::of(settings()), &error);
  if (image == nullptr) return set_error(hipErrorInvalidImage);
  std::string symbol = name;
  auto lowered = image->lowered_names().find(symbol);
  if (lowered != image->lowered_names().end()) symbol = lowered->second;
  auto found = image->globals().find(symbol);
  if (found == image->globals().end()) return set_error(hipErrorNotFound);
  if (address != nullptr) *address = reinterpret_cast<void*>(found->second.address);
  if (bytes != nullptr) *bytes = found->second.size;
  return hipSuccess;
}

HIPAUDIT_EXPORT hipError_t hipModuleLaunchKernel(hipFunction_t function, unsigned int grid_x,
                                                 unsigned int grid_y, unsigned int grid_z,
                                                 unsigned int block_x, unsigned int block_y,
                                                 unsigned int block_z, unsigned int shared,
                                                 hipStream_t stream, void** parameters,
                                                 void** extra) {
  if (parameters != nullptr && extra != nullptr) return set_error(hipErrorInvalidValue);
  LaunchShape shape{{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared, false};
  return launch_on(stream, function_of(function), shape, parameters, extra);
}

HIPAUDIT_EXPORT hipError_t hipModuleLaunchCooperativeKernel(
    hipFunction_t function, unsigned int grid_x, unsigned int grid_y, unsigned int grid_z,
    unsigned int block_x, unsigned int block_y, unsigned int block_z, unsigned int shared,
    hipStream_t stream, void** parameters) {
  LaunchShape shape{{grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared, true};
  return launch_on(stream, function_of(function), shape, parameters, nullptr);
}

HIPAUDIT_EXPORT hipError_t hipLaunchKernel(const void* function, dim3 grid, dim3 block,
                                           void** parameters, size_t shared, hipStream_t stream) {
  return launch_on(stream, static_cast<const Function*>(function),
                   shape_of(grid, block, shared, false), parameters, nullptr);
}

HIPAUDIT_EXPORT hipError_t hipLaunchCooperativeKernel(const void* function, dim3 grid, dim3 block,
                                                      void** parameters, unsigned int shared,
                                                      hipStream_t stream) {
  return launch_on(stream, static_cast<const Function*>(function),
                   shape_of(grid, block, shared, true), parameters, nullptr);
}

HIPAUDIT_EXPORT const char* hipKernelNameRef(hipFunction_t function) {
  return function == nullptr ? nullptr : function_of(function)->name.c_str();
}

HIPAUDIT_EXPORT hipError_t hipFuncGetAttributes(hipFuncAttributes* attributes,
                                                const void* function) {
  const Kernel* kernel = kernel_of(function);
  if (attributes == nullptr || kernel == nullptr) return set_error(hipErrorInvalidDeviceFunction);
  const Profile& profile = current_profile();
  *attributes = {};
  attributes->maxThreadsPerBlock = kernel->record->max_threads != 0
                                       ? static_cast<int>(kernel->record->max_threads)
                                       : profile.max_threads_per_block;
  attributes->sharedSizeBytes = kernel->shared_bytes;
  attributes->maxDynamicSharedSizeBytes =
      static_cast<int>(profile.lds_bytes - kernel->shared_bytes);
  return hipSuccess;
}

HIPAUDIT_EXPORT hipError_t hipFuncGetAttribute(int* value, hipFunction_attribute attribute,
                                               hipFunction_t function) {
  hipFuncAttributes all;
  if (value == nullptr) return set_error(hipErrorInvalidValue);
  if (hipFuncGetAttributes(&all, function) != hipSuccess)
    return set_error(hipErrorInvalidResourceHandle);
  switch (attribute) {
    case HIP_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
      *value = all.maxThreadsPerBlock;
      break;
    case HIP_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
      *value = static_cast<int>(all.sharedSizeBytes);
      break;
    case HIP_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      *value = all.maxDynamicSharedSizeBytes;
      break;
    default:
      return set_error(hipErrorNotSupported);  // registers and the like: hipaudit isa
  }
  return hipSuccess;
}

HIPAUDIT_EXPORT hipError_t hipFuncSetAttribute(const void* function, hipFuncAttribute attribute,
                                               int value) {
  const Kernel* kernel = kernel_of(function);
  if (kernel == nullptr) return set_error(hipErrorInvalidDeviceFunction);
  if (attribute != hipFuncAttributeMaxDynamicSharedMemorySize &&
      attribute != hipFuncAttributePreferredSharedMemoryCarveout)
    return set_error(hipErrorInvalidValue);
  bool dynamic = attribute == hipFuncAttributeMaxDynamicSharedMemorySize;
  size_t room = current_profile().lds_bytes - kernel->shared_bytes;
  return set_error(dynamic && (value < 0 || static_cast<size_t>(value) > room)
                       ? hipErrorInvalidValue
                       : hipSuccess);
}

HIPAUDIT_EXPORT hipError_t hipFuncSetCacheConfig(const void*, hipFuncCache_t) { return hipSuccess; }

HIPAUDIT_EXPORT hipError_t hipModuleOccupancyMaxActiveBlocksPerMultiprocessor(
    int* blocks, hipFunction_t function, int block_size, size_t dynamic) {
  const Kernel* kernel = kernel_of(function);
  if (blocks == nullptr || kernel == nullptr) return set_error(hipErrorInvalidValue);
  *blocks = resident_blocks(kernel, block_size, dynamic);
  return hipSuccess;
}

HIPAUDIT_EXPORT hipError_t hipModuleOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int* blocks, hipFunction_t function, int block_size, size_t dynamic, unsigned int) {
  return hipModuleOccupancyMaxActiveBlocksPerMultiprocessor(blocks, function, block_size, dynamic);
}

HIPAUDIT_EXPORT hipError_t hipOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks,
                                                                        const void* function,
                                                                        int block_size,
                                                                        size_t dynamic) {
  return hipModuleOccupancyMaxActiveBlocksPerMultiprocessor(
      blocks, static_cast<hipFunction_t>(const_cast<void*>(function)), block_size, dynamic);
}

HIPAUDIT_EXPORT hipError_t hipModuleOccupancyMaxPotentialBlockSize(int* grid, int* block,
                                                                   hipFunction_t function,
                                                                   size_t dynamic, int limit) {
  return set_error(potential_block_size(grid, block, kernel_of(function), dynamic, limit));
}

HIPAUDIT_EXPORT hipError_t hipOccupancyMaxPotentialBlockSize(int* grid, int* block,
                                                             const void* function, size_t dynamic,
                                                             int limit) {
  return set_error(potential_block_size(grid, block, kernel_of(function), dynamic, limit));
}

// Paths of the object files of all loaded modules, a line each; valid until the thread's next call.
HIPAUDIT_EXPORT const char* hipaudit_objects() {
  static thread_local std::string* text = new std::string;
  *text = loaded_objects();
  return text->c_str();
}

// Kernels of a module and their parameters as JSON; valid until the thread's next call. Null with
// the reason on stderr when the module cannot be built.
HIPAUDIT_EXPORT const char* hipaudit_describe(hipModule_t module) {
  static thread_local std::string* text = new std::string;
  std::string error;
  if (module == nullptr) return nullptr;
  *text = module_of(module)->describe(&error);
  if (error.empty()) return text->c_str();
  complain(error);
  return nullptr;
}
