// The freedoms that a real device has, turned against kernels: HIPAUDIT_ADVERSARIAL, or the setting
// `adversarial`, is a list of words with commas between:
//
//   up, down, alternating, random=SEED   results of math functions move: math_adversary.h
//   uncontracted                         a * b + c stays two operations unless written as one
//   flush                                float subnormals become zero, as arguments and as results
//
// By default results are as exact as they can be, the compiler contracts as hipcc's does, and
// subnormals are kept, which is also AMD's default from gfx9 on; -fgpu-flush-denormals-to-zero
// gives them up there. On this device a flush meets doubles as well; AMD keeps theirs.
#pragma once

#include <stdint.h>

#include "math_adversary.h"

namespace hipaudit {

struct Adversary {
  Shift shift = Shift::none;
  uint64_t seed = 0;  // of a random shift
  bool contract = true;
  bool flush = false;

  // Whether kernels are compiled otherwise than for the natural device.
  bool needs_own_build() const { return shift != Shift::none || !contract; }
};

// False: a word is not one of those.
bool parse_adversary(const char* text, Adversary* out);

}  // namespace hipaudit
