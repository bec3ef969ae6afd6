// The header that HIP kernels include, for the emulated device.
#pragma once

#include "hip_runtime_api.h"
#include "hip_vector_types.h"
#include "host_defines.h"

#if defined(__HIP__)
#include "hipaudit/atomics.h"
#include "hipaudit/builtin_variables.h"
#include "hipaudit/device_library.h"
#include "hipaudit/math.h"
#include "hipaudit/synchronisation.h"
#include "hipaudit/wave.h"
#endif
