// memset and memcpy in a kernel, of sizes that compilers expand and of sizes that they do not, on
// private, shared and global memory.
// RUN: --kernel blocks --grid 1 --block 32 --arg u8[1024]=uniform(0,255) --arg u8[1024]=uninit
// RUN: --arg u32[32]=uninit
#include <hip/hip_runtime.h>

#include <cstring>

struct Block {
  unsigned char bytes[32];
};

__global__ void blocks(const unsigned char* in, unsigned char* out, unsigned* sums) {
  __shared__ Block shared[32];
  const int tid = threadIdx.x;
  Block mine;
  memset(&mine, 0, sizeof mine);
  memcpy(&mine, in + tid * sizeof mine, 31);
  shared[tid] = mine;
  __syncthreads();
  memcpy(out + tid * sizeof(Block), &shared[31 - tid], sizeof(Block));
  unsigned words[8];
  memcpy(words, mine.bytes, sizeof words);
  unsigned sum = 0;
  for (unsigned word : words) sum ^= word;
  sums[tid] = sum;
}
