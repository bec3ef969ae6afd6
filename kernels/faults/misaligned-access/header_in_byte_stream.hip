// Records in a stream of bytes, each behind a tag of one byte, taken out as whole structures. The
// twin copies their bytes.
// RUN: --kernel unpack --grid 1 --block 16 --arg u8[208]=iota --arg i32[16]=uninit
#include <hip/hip_runtime.h>

struct Record {
  int id;
  float weight;
  int next;
};

__global__ void unpack(const unsigned char* stream, int* out) {
  const unsigned char* const at = stream + 13 * threadIdx.x + 1;
  Record record;
#ifndef TWIN
  record = *reinterpret_cast<const Record*>(at);  // FAULT: misaligned-access at
#else
  __builtin_memcpy(&record, at, sizeof record);
#endif
  out[threadIdx.x] = record.id ^ record.next;
}
