// What the checkers know of the running block, laid out so that most accesses are decided at once.
//
// Epochs number the intervals between synchronisations, of all blocks of all launches. A record's
// topmost bits are its epoch, so one comparison tells on which side of a synchronisation it lies:
// of the records of this block, those in [floor, floor + span) may be unordered with what comes.
#pragma once

namespace hipaudit {

struct CheckWindow {
  unsigned long long accesses;      // since the block began or went on
  unsigned long long moved;         // bytes of those that were to global memory
  unsigned long long epoch;         // of now, at a record's place
  unsigned long long launch_floor;  // smaller records belong to launches before this one
  unsigned long long block_floor;   // the block's first epoch
  unsigned long long global_floor, global_span;
  unsigned long long shared_floor, shared_span;
  unsigned char* shared_states;
  unsigned long long* shared_writes;
  unsigned long long* shared_reads;
  unsigned long long shared_seconds;  // where those begin
  const unsigned short* sites;  // by offset in the kernel's code: the number of an access there
  unsigned long long code;      // where that code begins
  unsigned wave_bit;            // in a record: the lowest bit of the wave's number
  unsigned attention;           // something waits for the next access: all goes the long way
  unsigned irregular;           // atomics order threads, or the block used up its first epochs
  unsigned several;             // workers run the launch: global memory's shadow is shared
  unsigned long long* owners;   // of its stripes
  unsigned long long self;      // the worker, as their owner
  unsigned long long* visited;  // the stripe that the worker visits, and one
};

}  // namespace hipaudit
