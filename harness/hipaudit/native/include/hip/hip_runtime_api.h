// The HIP runtime API, in the ABI of ROCm 7: what host code in a .hip file names, and what the
// emulated device defines. All of it is declared; a call that the emulated device does not model
// is not exported by it, so that using it says so at once.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HIP_VERSION_MAJOR 7
#define HIP_VERSION_MINOR 2
#define HIP_VERSION_PATCH 53211
#define HIP_VERSION_GITHASH ""
#define HIP_VERSION_BUILD_ID 0
#define HIP_VERSION_BUILD_NAME ""
#define HIP_VERSION (HIP_VERSION_MAJOR * 10000000 + HIP_VERSION_MINOR * 100000 + HIP_VERSION_PATCH)

#ifdef __cplusplus
#define HIPAUDIT_DEFAULT(value) = value
#else
#define HIPAUDIT_DEFAULT(value)
#endif

#include "../hipaudit/api_device.h"
#include "../hipaudit/api_graph.h"
#include "../hipaudit/api_memory.h"
#include "../hipaudit/api_module.h"
#include "../hipaudit/api_stream.h"
#include "../hipaudit/api_texture.h"

#ifdef __cplusplus
#include "../hipaudit/api_overloads.h"
#endif
