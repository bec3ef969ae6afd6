// Records with padding are filled field by field in shared memory and copied whole: the copy moves
// three bytes that nobody wrote and nobody looks at.
// RUN: --kernel reverse --grid 1 --block 64 --arg u8[64]=iota --arg f32[64]=uniform(-1,1)
// RUN: --arg u8[64]=uninit --arg f32[64]=uninit
#include <hip/hip_runtime.h>

struct Record {
  unsigned char tag;
  float value;
};

__global__ void reverse(const unsigned char* tags, const float* values, unsigned char* out_tags,
                        float* out_values) {
  __shared__ Record records[64];
  const int tid = threadIdx.x;
  records[tid].tag = tags[tid];
  records[tid].value = values[tid];
  __syncthreads();
  const Record record = records[63 - tid];
  out_tags[tid] = record.tag;
  out_values[tid] = record.value;
}
