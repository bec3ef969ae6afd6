// One step of pointer jumping in place: parent[parent[i]] is read while its owner replaces it. On
// hardware some nodes jump once and some twice. The twin reads all, waits, then writes.
// RUN: --kernel jump --grid 1 --block 256 --arg i32[256]=uninit
#include <hip/hip_runtime.h>

__global__ void jump(int* parent) {
  const int i = threadIdx.x;
  parent[i] = i / 2;
  __syncthreads();
  const int grandparent = parent[parent[i]];  // FAULT: race-global other
#ifdef TWIN
  __syncthreads();
#endif
  parent[i] = grandparent;  // FAULT: race-global write
}
