// HIP's C functions, without the C++ forms beside them that have the same names.
#pragma once

#define HIPAUDIT_DEFAULT(value)

#include "../include/hipaudit/api_device.h"
#include "../include/hipaudit/api_graph.h"
#include "../include/hipaudit/api_memory.h"
#include "../include/hipaudit/api_module.h"
#include "../include/hipaudit/api_stream.h"
#include "../include/hipaudit/api_texture.h"
