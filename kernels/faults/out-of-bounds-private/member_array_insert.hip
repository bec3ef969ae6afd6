// Top-k in registers: insertion begins one place behind the array, which is the last member of its
// structure, so that every insertion shifts a value past its end. The twin begins at the last
// place.
// RUN: --kernel top --grid 1 --block 32 --arg f32[640]=uniform(-1,1) --arg f32[128]
#include <hip/hip_runtime.h>

template <int kCount>
struct Best {
  int seen;
  float values[kCount];
  __device__ void insert(float x) {
    ++seen;
    if (x <= values[kCount - 1]) return;
#ifdef TWIN
    int place = kCount - 1;
#else
    int place = kCount;
#endif
    for (; place > 0 && values[place - 1] < x; --place)
      values[place] = values[place - 1];  // FAULT: out-of-bounds-private at
    values[place] = x;
  }
};

__global__ void top(const float* in, float* out) {
  constexpr int kCount = 4;
  constexpr int kRow = 20;
  Best<kCount> best{};
  for (int i = 0; i < kCount; ++i) best.values[i] = -INFINITY;
  for (int i = 0; i < kRow; ++i) best.insert(in[threadIdx.x * kRow + i]);
  for (int i = 0; i < kCount; ++i) out[threadIdx.x * kCount + i] = best.values[i];
}
