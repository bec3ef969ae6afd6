// Row lengths from a CSR offset array of rows entries: row r reads offsets[r + 1], and the last row
// reads one past the end, because the array was built without its closing entry. The twin takes the
// closing entry from the number of elements.
// RUN: --kernel row_lengths --grid 1 --block 128 --arg i32[128]=iota --arg i32[128]=uninit
// RUN: --arg i32=128 --arg i32=130
#include <hip/hip_runtime.h>

__global__ void row_lengths(const int* offsets, int* lengths, int rows, int elements) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
#ifdef TWIN
  if (row == rows - 1) {
    lengths[row] = elements - offsets[row];
    return;
  }
#endif
  const int next = offsets[row + 1];  // FAULT: out-of-bounds-global at
  lengths[row] = next - offsets[row];
}
