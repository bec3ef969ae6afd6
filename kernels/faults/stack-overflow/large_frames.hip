// Recursion over a tree with a path of 8 KiB in every frame, and no check for a cycle: frames are
// larger than any guard page. The twin stops at the depth it has room for.
// RUN: --kernel walk --grid 1 --block 1 --arg i32[4]=ones --arg i32[1]=zeros
#include <hip/hip_runtime.h>

__noinline__ __device__ int visit(const int* next, int node, int depth) {
  if (node < 0) return 0;
  volatile int path[2048];
  path[depth % 2048] = node;  // FAULT: stack-overflow at
#ifdef TWIN
  if (depth == 3) return path[depth];
#endif
  return visit(next, next[node], depth + 1) + path[depth % 2048];  // FAULT: stack-overflow at
}

__global__ void walk(const int* next, int* out) { out[0] = visit(next, 0, 0); }
