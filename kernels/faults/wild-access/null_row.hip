// A table of row pointers of which some are null, followed without a look. The table is data, so no
// check of the launch's arguments sees it. The twin skips null rows.
// RUN: --kernel fill_rows --grid 4 --block 64 --arg u64[4]=zeros --arg f32=1.5
#include <hip/hip_runtime.h>

__global__ void fill_rows(float* const* rows, float value) {
  float* const row = rows[blockIdx.x];
#ifdef TWIN
  if (row == nullptr) return;
#endif
  row[threadIdx.x] = value;  // FAULT: wild-access at
}
