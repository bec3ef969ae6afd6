// Marks for profilers, of which there are none: part of the runtime header here.
#pragma once

#include "hip_runtime.h"
