// A whole program, as users have them: host code, the C++ library, templates, dynamic LDS.

#include <hip/hip_bf16.h>
#include <hip/hip_cooperative_groups.h>
#include <hip/hip_fp16.h>
#include <hip/hip_fp8.h>
#include <hip/hip_runtime.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

namespace app {

template <class T>
__global__ __launch_bounds__(256) void twice(T* x) {
  x[threadIdx.x] *= T(2);
}

}  // namespace app

__global__ void everything(float* x, double* d, int* c, __half* h, __hip_bfloat16* b) {
  extern __shared__ float tile[];
  const int i = threadIdx.x + blockIdx.x * blockDim.x;
  tile[threadIdx.x] = x[i];
  __syncthreads();
  float v = tile[blockDim.x - 1 - threadIdx.x];
  v = expf(v) + sinf(v) + powf(v, 2.5f) + tanhf(v) + erff(v) + fminf(v, 2.0f) + rsqrtf(v);
  v += __shfl_xor(v, 1) + __shfl_down(v, 2) + __expf(v) + __logf(v);
  atomicAdd(x + 1, v);
  atomicMax(c, i);
  atomicCAS(c + 1, 1, 2);
  h[i] = __hadd(h[i], __float2half(v));
  b[i] = __float2bfloat16(v);
  d[i] = sqrt(d[i]) + fma(d[i], 2.0, 1.0) + fmod(d[i], 3.0);
  cooperative_groups::this_thread_block().sync();
  if (__any(v > 2)) printf("%f\n", v);
  assert(v < 10);
  x[i] = v;
}

extern "C" __global__ void calling(float* x) { x[threadIdx.x] = lgammaf(x[threadIdx.x]); }

int main() {
  std::vector<float> host(64);
  float* x = nullptr;
  if (hipMalloc(&x, 256) != hipSuccess) return 1;
  app::twice<<<1, 64>>>(x);
  everything<<<dim3(1), dim3(64), 256>>>(x, nullptr, nullptr, nullptr, nullptr);
  std::cout << host.size() << "\n";
  return 0;
}
