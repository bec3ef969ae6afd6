// Descent through a table of children in which the root is its own child: the recursion never meets
// a leaf. A GPU has no guard page below a lane's stack: other lanes' frames are overwritten. The
// twin also stops at a depth.
// RUN: --kernel tree_sum --grid 1 --block 1 --arg i32[8]=zeros --arg i32[1]=uninit
#include <hip/hip_runtime.h>

#ifdef TWIN
constexpr int kMostDepth = 16;
#endif

__noinline__ __device__ int walk(const int* child, int node,  // FAULT: stack-overflow at
                                 int depth) {
  int path[4];
  for (int i = 0; i < 4; ++i) path[i] = node + i;  // FAULT: stack-overflow at
  const int next = child[node];                    // FAULT: stack-overflow at
  if (next < 0) return path[0];
#ifdef TWIN
  if (depth == kMostDepth) return path[0];
#endif
  const int below = walk(child, next, depth + 1);  // FAULT: stack-overflow at
  return below + path[below & 3];
}

__global__ void tree_sum(const int* child, int* out) { out[0] = walk(child, 0, 0); }
