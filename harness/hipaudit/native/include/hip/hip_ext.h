// Extensions of the runtime: part of the runtime header here.
#pragma once

#include "hip_runtime.h"
