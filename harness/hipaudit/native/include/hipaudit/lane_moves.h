// The instructions that move values between lanes in fixed patterns: DPP, swizzles, permutations.
// Patterns as in AMD's instruction set manuals ("DPP control", "DS_SWIZZLE_B32").
#pragma once

#include "hipaudit/wave.h"

#if !defined(__AMDGCN__)

namespace hipaudit {

// The lane that a DPP pattern reads from; -1: there is none.
HIPAUDIT_DEVICE int dpp_source(int lane, int control) {
  const int row = lane & ~15;
  const int place = lane & 15;
  const int count = control & 15;
  const int last = warpSize - 1;
  if (control < 0x100) return (lane & ~3) | (control >> (2 * (lane & 3)) & 3);  // quad_perm
  switch (control & ~15) {
    case 0x100:  // row_shl
      return place + count < 16 ? lane + count : -1;
    case 0x110:  // row_shr
      return place >= count ? lane - count : -1;
    case 0x120:  // row_ror
      return row + ((place - count) & 15);
    case 0x130:  // wave_shl, wave_rol, wave_shr, wave_ror by one lane
      return count == 0   ? (lane == last ? -1 : lane + 1)
             : count == 4 ? (lane + 1) & last
             : count == 8 ? lane - 1
                          : (lane - 1) & last;
    case 0x140:
      if (count == 0) return row + 15 - place;          // row_mirror
      if (count == 1) return lane ^ 7;                  // row_half_mirror
      if (count == 2) return lane < 16 ? -1 : row - 1;  // row_bcast:15
      return lane < 32 ? -1 : 31;                       // row_bcast:31
    case 0x150:                                         // row_share
      return row + count;
    default:  // row_xmask
      return lane ^ count;
  }
}

// A row or bank that the masks leave out keeps `old`; so does a lane without a source, unless
// bound_ctrl asks for zero.
HIPAUDIT_DEVICE int dpp(int old, int value, int control, int row_mask, int bank_mask,
                        bool bound_ctrl) {
  const int lane = static_cast<int>(__lane_id());
  const int source = dpp_source(lane, control);
  const unsigned long long active = __activemask();
  const int moved =
      from_bits<int>(hipaudit_wave_permute(to_bits(value), source < 0 ? lane : source));
  if ((row_mask >> (lane / 16 & 3) & 1) == 0 || (bank_mask >> (lane / 4 & 3) & 1) == 0) return old;
  const bool valid = source >= 0 && (active >> source & 1) != 0;
  return valid ? moved : bound_ctrl ? 0 : old;
}

HIPAUDIT_DEVICE int swizzle_source(int lane, int pattern) {
  if ((pattern & 0x8000) != 0) return (lane & ~3) | (pattern >> (2 * (lane & 3)) & 3);
  const int from = ((lane & pattern & 31) | (pattern >> 5 & 31)) ^ (pattern >> 10 & 31);
  return (lane & ~31) | from;
}

}  // namespace hipaudit

HIPAUDIT_DEVICE int __builtin_amdgcn_update_dpp(int old, int value, int control, int row_mask,
                                                int bank_mask, bool bound_ctrl) {
  return hipaudit::dpp(old, value, control, row_mask, bank_mask, bound_ctrl);
}
HIPAUDIT_DEVICE int __builtin_amdgcn_mov_dpp(int value, int control, int row_mask, int bank_mask,
                                             bool bound_ctrl) {
  return hipaudit::dpp(value, value, control, row_mask, bank_mask, bound_ctrl);
}
HIPAUDIT_DEVICE int __builtin_amdgcn_ds_swizzle(int value, int pattern) {
  const int lane = static_cast<int>(__lane_id());
  return hipaudit::from_bits<int>(
      hipaudit_wave_permute(hipaudit::to_bits(value), hipaudit::swizzle_source(lane, pattern)));
}
// Each lane hands its value to the lane address / 4; of several the highest one wins.
HIPAUDIT_DEVICE int __builtin_amdgcn_ds_permute(int address, int value) {
  const int lane = static_cast<int>(__lane_id());
  int found = 0;
  for (unsigned long long rest = __activemask(); rest != 0; rest &= rest - 1) {
    const int from = __builtin_ctzll(rest);
    const int goal = __builtin_amdgcn_readlane(address >> 2, from) & (warpSize - 1);
    const int moved = __builtin_amdgcn_readlane(value, from);
    if (goal == lane) found = moved;
  }
  return found;
}
#endif
