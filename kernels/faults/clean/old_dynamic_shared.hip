// Three arrays of different types carved out of what HIP_DYNAMIC_SHARED declares, the widest first;
// a __managed__ variable and cached loads beside them.
// RUN: --kernel carve --grid 2 --block 64 --shared 832 --arg f64[128]=uniform(-1,1)
// RUN: --arg i32[128]=iota --arg u8[128]=iota --arg f64[128]
#include <hip/hip_runtime.h>

__managed__ int scale = 3;

__global__ void carve(const double* a, const int* b, const unsigned char* c, double* out) {
  HIP_DYNAMIC_SHARED(unsigned char, raw)
  double* doubles = reinterpret_cast<double*>(raw);
  int* ints = reinterpret_cast<int*>(doubles + 64);
  unsigned char* bytes = reinterpret_cast<unsigned char*>(ints + 64);
  const int t = static_cast<int>(threadIdx.x);
  const int i = static_cast<int>(blockIdx.x) * 64 + t;
  doubles[t] = __ldg(&a[i]);
  ints[t] = __ldg(&b[i]);
  bytes[t] = __ldg(&c[i]);
  __syncthreads();
  out[i] = scale * doubles[63 - t] + ints[t ^ 1] + bytes[(t + 7) & 63];
}
