// Every block that meets a negative value stores the same 1 to a flag. All orders give the same
// result on all known hardware, so this is information and no error; it is a data race
// nevertheless. The twin sets the flag atomically.
// RUN: --kernel any_negative --grid 8 --block 1 --arg f32[8]=uniform(-2,-1) --arg i32[1]=zeros
// SEVERITY: info
#include <hip/hip_runtime.h>

__global__ void any_negative(const float* in, int* flag) {
  if (in[blockIdx.x] < 0.0f) {
#ifndef TWIN
    *flag = 1;  // FAULT: race-grid write other
#else
    atomicExch(flag, 1);
#endif
  }
}
