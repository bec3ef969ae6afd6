// dim3: a grid's or a block's extent. Also included by the device library, as plain C++.
#pragma once

#include "../hip/host_defines.h"

struct dim3 {
  unsigned int x;
  unsigned int y;
  unsigned int z;

  HIPAUDIT_HOST_DEVICE constexpr dim3(unsigned int size_x = 1, unsigned int size_y = 1,
                                      unsigned int size_z = 1)
      : x(size_x), y(size_y), z(size_z) {}
};
