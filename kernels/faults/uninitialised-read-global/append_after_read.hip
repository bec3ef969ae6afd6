// Decoding step that attends to positions 0 to `position` and appends its own key afterwards: the
// last key it reads lies in the cache, but nothing has written it yet. Bounds checks see nothing;
// the score is garbage. The twin appends before it reads.
// RUN: --kernel attend --grid 1 --block 32 --arg f32[32]=uniform(-1,1) --arg f32[512]=uniform(-1,1)
// RUN: --arg f32[512]=uninit --arg f32[32]=uninit --arg i32=15
#include <hip/hip_runtime.h>

constexpr int kHead = 32;

// Thread d owns channel d of the head: it fills its channel of the cache and reads it back.
__global__ void attend(const float* query, const float* keys, float* cache, float* out,
                       int position) {
  const int d = threadIdx.x;
  for (int t = 0; t < position; ++t) cache[t * kHead + d] = keys[t * kHead + d];
#ifdef TWIN
  cache[position * kHead + d] = keys[position * kHead + d];
#endif
  float sum = 0.0f;
  for (int t = 0; t <= position; ++t) {
    sum += query[d] * cache[t * kHead + d];  // FAULT: uninitialised-read-global at
  }
#ifndef TWIN
  cache[position * kHead + d] = keys[position * kHead + d];
#endif
  out[d] = sum;
}
