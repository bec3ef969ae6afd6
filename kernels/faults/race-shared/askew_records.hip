// Records of 18 bytes in shared memory, a scale and 16 codes, written as one vector at any address.
// With the codes two bytes too far, a record's last ones are where the next thread puts its scale;
// the twin puts them where the scale ends.
// RUN: --kernel gather --grid 1 --block 128 --arg u8[2048]=iota --arg u32[128]=uninit
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

__global__ void gather(const unsigned char* in, unsigned* sums) {
  alignas(4) __shared__ unsigned char records[128 * kRecord + 2];
  const int tid = threadIdx.x;
  unsigned char* record = records + tid * kRecord;
  *reinterpret_cast<unsigned short*>(record) = tid + 1;  // FAULT: race-shared other
  const Askew* from = reinterpret_cast<const Askew*>(in + 16 * tid);
  reinterpret_cast<Askew*>(record + kCodes)->codes = from->codes;  // FAULT: race-shared write
  __syncthreads();
  const unsigned char* other = records + (127 - tid) * kRecord;
  unsigned sum = other[0];
  for (int i = 0; i < 16; ++i) sum += other[kCodes + i];
  sums[tid] = sum;
}
