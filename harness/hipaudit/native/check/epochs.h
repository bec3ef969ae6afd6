// Epochs: numbers for the intervals between synchronisations, of every block of every launch.
#pragma once

#include <cstdint>

#include "check/checker.h"

namespace hipaudit {

// Blocks that come when a launch has used up all numbers share those from here on: accesses with
// them conflict with nothing. They are the largest, so that whoever has learnt of such a release
// has learnt of all that the block did before.
constexpr uint32_t kSpentEpochs = Record::kMostEpochs - (1u << 16);

// Reserves epochs for the blocks of a launch, or of what follows a barrier of its grid. Everything
// with smaller numbers is past from now on.
void begin_epochs(uint64_t blocks);
uint32_t first_epoch();
// How often numbers began again, so that records of shared memory mean nothing any more.
uint32_t epoch_beginnings();

// Gives the block its first epochs since begin_epochs.
void enter_epochs(BlockCheck& check);
// The block's next epoch.
void advance_epoch(BlockCheck& check);
// The same after a barrier that orders all, when fresh epochs for the block can be had at no loss.
void advance_past_barrier(BlockCheck& check);

}  // namespace hipaudit
