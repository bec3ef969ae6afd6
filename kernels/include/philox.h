// Counter-based random numbers: Philox4x32-10. A pure function of counter and key, so that any draw
// of any thread can be had again.
//
// Source    Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <hip/hip_runtime.h>

namespace philox {

struct Words {
  unsigned x, y, z, w;
};

__device__ inline Words draw(Words counter, unsigned long long key) {
  unsigned low_key = static_cast<unsigned>(key);
  unsigned high_key = static_cast<unsigned>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const unsigned long long first = 0xd2511f53ull * counter.x;
    const unsigned long long second = 0xcd9e8d57ull * counter.z;
    counter = {
        static_cast<unsigned>(second >> 32) ^ counter.y ^ low_key, static_cast<unsigned>(second),
        static_cast<unsigned>(first >> 32) ^ counter.w ^ high_key, static_cast<unsigned>(first)};
    low_key += 0x9e3779b9u;
    high_key += 0xbb67ae85u;
  }
  return counter;
}

// The top 24 bits as a number in [0, 1): exact in float32 and never 1.
__device__ inline float uniform(unsigned word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

}  // namespace philox
