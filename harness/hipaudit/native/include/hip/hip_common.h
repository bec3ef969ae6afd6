// What all of HIP's headers share: part of the runtime header here.
#pragma once

#include "hip_runtime_api.h"
