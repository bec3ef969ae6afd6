// hipDeviceProp_t of the current profile.
#pragma once

#include "../include/hip/hip_runtime_api.h"

namespace hipaudit {

// Every field that ROCm fills in, as it fills it in; the others are zero.
hipDeviceProp_tR0600 device_properties();

}  // namespace hipaudit
