// Types of textures: part of the runtime header here.
#pragma once

#include "hip_runtime.h"
