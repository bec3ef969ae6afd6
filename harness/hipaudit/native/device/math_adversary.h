// How an adversarial device moves the results of its math functions.
#pragma once

#include <stdint.h>

namespace hipaudit {

// What happens to each result: nothing; as many ULP up or down as AMD documents for the function;
// up in even threads and down in odd ones; or a number of ULP between that hangs on the result.
enum class Shift : unsigned char { none, up, down, alternating, random };

// In force until the next call. Not while a kernel runs.
void set_shift(Shift shift, uint64_t seed);

}  // namespace hipaudit
