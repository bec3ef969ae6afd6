// State of the one emulated device that calls set and read back.
#pragma once

#include <atomic>
#include <cstddef>

#include "../include/hipaudit/api_error.h"
#include "../include/hipaudit/api_types.h"

namespace hipaudit {

struct DeviceState {
  std::atomic<unsigned int> flags{hipDeviceScheduleAuto};
  std::atomic<hipFuncCache_t> cache{hipFuncCachePreferNone};
  std::atomic<size_t> stack_bytes{1024};  // of a thread
  std::atomic<size_t> printf_bytes{1 << 20};
  std::atomic<size_t> heap_bytes{8 << 20};  // of device-side malloc
};
DeviceState& device_state();

inline bool valid_device(int device) { return device == 0; }

// Waits for all streams and says how their work ended.
hipError_t synchronize_device();

}  // namespace hipaudit
