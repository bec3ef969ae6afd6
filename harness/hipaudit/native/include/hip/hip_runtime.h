// The header that HIP kernels include, for the emulated device.
#pragma once

#include <float.h>
#include <limits.h>
#include <stdint.h>

#include "hip_runtime_api.h"
#include "hip_vector_types.h"
#include "host_defines.h"

#if defined(__HIP__)
#include "hipaudit/atomics.h"
#include "hipaudit/buffer_resource.h"
#include "hipaudit/builtin_variables.h"
#include "hipaudit/device_library.h"
#include "hipaudit/lane_moves.h"
#include "hipaudit/math.h"
#include "hipaudit/processor.h"
#include "hipaudit/synchronisation.h"
#include "hipaudit/textures.h"
#include "hipaudit/wave.h"
#endif

// As <math.h> has them, which replaces them when it is included later.
#ifndef INFINITY
#define INFINITY (__builtin_inff())
#define NAN (__builtin_nanf(""))
#endif
#ifndef HUGE_VAL
#define HUGE_VAL (__builtin_huge_val())
#define HUGE_VALF (__builtin_huge_valf())
#endif
#ifndef M_PI
#define M_E 2.7182818284590452354
#define M_LOG2E 1.4426950408889634074
#define M_LOG10E 0.43429448190325182765
#define M_LN2 0.69314718055994530942
#define M_LN10 2.30258509299404568402
#define M_PI 3.14159265358979323846
#define M_PI_2 1.57079632679489661923
#define M_PI_4 0.78539816339744830962
#define M_1_PI 0.31830988618379067154
#define M_2_PI 0.63661977236758134308
#define M_2_SQRTPI 1.12837916709551257390
#define M_SQRT2 1.41421356237309504880
#define M_SQRT1_2 0.70710678118654752440
#endif
