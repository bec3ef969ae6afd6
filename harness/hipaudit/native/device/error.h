// The last error of each host thread, and what the codes are called.
#pragma once

#include "../include/hipaudit/api_error.h"

namespace hipaudit {

// Records the thread's last error (success leaves it as it is) and returns it.
hipError_t set_error(hipError_t error);

// The thread's last error, without clearing it.
hipError_t last_error();

// The enumerator's name; "hipErrorUnknown" for a value that is none.
const char* error_name(hipError_t error);

}  // namespace hipaudit
