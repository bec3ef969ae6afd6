// Marks the functions that leave the library: HIP's C ABI and our control functions.
#pragma once

#define HIPAUDIT_EXPORT extern "C" __attribute__((visibility("default")))
