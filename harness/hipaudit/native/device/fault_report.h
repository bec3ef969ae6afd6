// Turns the way a launch ended into a finding and an error code.
#pragma once

#include "../include/hipaudit/api_error.h"
#include "launch.h"

namespace hipaudit {

// hipSuccess for a launch that completed; otherwise journals why it did not.
hipError_t report_ending(const Launch& launch);

}  // namespace hipaudit
