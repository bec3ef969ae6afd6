// Groups of consecutive rows, one after the other: which group a tile of rows belongs to.
//
// Layout    offsets: groups + 1 int32, rising from 0 to at most the rows; group e has the rows i
//           with offsets[e] <= i < offsets[e + 1]. Rows behind the last group belong to none.
// Tiles     a group's rows make ceil(rows / height) tiles of their own. Over all groups there are
// at
//           most ceil(rows / height) + groups of them, and at most one a row.
#pragma once

#include <hip/hip_runtime.h>

namespace groups {

// Where a tile's rows begin and its group's end; group -1 when there is no such tile.
struct Place {
  int group;
  int row;
  int end;
};

__device__ inline Place place_of(const int* offsets, int groups, int height, int tile) {
  int begin = offsets[0];
  for (int group = 0; group < groups; ++group) {
    const int end = offsets[group + 1];
    const int tiles = (end - begin + height - 1) / height;
    if (tile < tiles) return {group, begin + tile * height, end};
    tile -= tiles;
    begin = end;
  }
  return {-1, 0, 0};
}

}  // namespace groups
