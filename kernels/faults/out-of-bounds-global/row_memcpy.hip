// Rows of 12 bytes copied with a memcpy of 16: each thread also overwrites the start of the next
// row with what stood there before, and the last one reads and writes four bytes past the buffers.
// The twin copies 12 bytes.
// RUN: --kernel copy_rows --grid 1 --block 1 --arg u8[768]=iota --arg u8[768]=uninit --arg i32=64
#include <hip/hip_runtime.h>

#include <cstring>

constexpr int kRow = 12;

__global__ void copy_rows(const unsigned char* in, unsigned char* out, int rows) {
#ifndef TWIN
  constexpr int kBytes = 16;
#else
  constexpr int kBytes = kRow;
#endif
  for (int row = 0; row < rows; ++row) {
    memcpy(out + row * kRow, in + row * kRow, kBytes);  // FAULT: out-of-bounds-global at
  }
}
