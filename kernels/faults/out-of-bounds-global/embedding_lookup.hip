// Embedding lookup that trusts its token ids: ids 48 to 63 point past a table of 48 rows. Hardware
// returns neighbouring memory, so a bad tokenizer looks like a bad model. The twin maps ids outside
// the vocabulary to row 0.
// RUN: --kernel embed --grid 64 --block 32 --arg i32[64]=iota --arg f32[1536]=uniform(-1,1)
// RUN: --arg f32[2048]=uninit --arg i32=48
#include <hip/hip_runtime.h>

__global__ void embed(const int* ids, const float* table, float* out, int vocabulary) {
  const int token = blockIdx.x;
  const int width = blockDim.x;
  int id = ids[token];
#ifdef TWIN
  if (id < 0 || id >= vocabulary) id = 0;
#endif
  const float value = table[id * width + threadIdx.x];  // FAULT: out-of-bounds-global at
  out[token * width + threadIdx.x] = value;
}
