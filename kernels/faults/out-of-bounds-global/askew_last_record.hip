// Records of 18 bytes read as one vector of 16 behind a scale of 2. Counted from 4, the last
// record's vector ends two bytes behind the array; the twin counts from 2.
// RUN: --kernel sums --grid 1 --block 64 --arg u8[1152]=iota --arg u32[64]=uninit
#include <hip/hip_runtime.h>

constexpr int kRecord = 18;
#ifndef TWIN
constexpr int kCodes = 4;
#else
constexpr int kCodes = 2;
#endif

using Codes = unsigned char __attribute__((ext_vector_type(16)));
struct __attribute__((packed)) Askew {
  Codes codes;
};

__global__ void sums(const unsigned char* records, unsigned* out) {
  const int tid = threadIdx.x;
  const void* place = records + tid * kRecord + kCodes;
  const Codes codes = static_cast<const Askew*>(place)->codes;  // FAULT: out-of-bounds-global at
  unsigned sum = 0;
#pragma unroll
  for (int i = 0; i < 16; ++i) sum += codes[i];
  out[tid] = sum;
}
