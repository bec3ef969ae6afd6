// From HIP's launch calls to a run: argument packing, limits, and what a failed run is called.
#pragma once

#include <string>

#include "../include/hipaudit/api_error.h"
#include "launch.h"
#include "module.h"

namespace hipaudit {

// Exactly one of the two argument forms: an array of pointers to the arguments, or HIP's `extra`
// list with a packed buffer. A failure is also a finding.
hipError_t launch_kernel(const Function* function, const LaunchShape& shape, void** parameters,
                         void** extra);

}  // namespace hipaudit
