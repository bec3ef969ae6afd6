// A strided view copied to a contiguous array: permuted axes, slices, every second row, repeats.
//
// Formula   y[i0][i1][i2][i3] = x[i0 s0 + i1 s1 + i2 s2 + i3 s3]
// Layout    x: elements of 8, 16 or 32 bits, starting at the view's first; strides in elements, 0
//           to repeat, negative to turn an axis round; y: n0 x n1 x n2 x n3, row-major, contiguous,
//           not overlapping x. Fewer axes: leading ones of 1.
// Grid      one thread an element of y, so that writes are of neighbours; one-dimensional. Block:
// at
//           most 256 threads. transpose.hip does the same for two axes with neighbouring reads.
// Limits    fewer than 2^32 elements of y.

#include <hip/hip_runtime.h>

struct Axes {
  long long stride0, stride1, stride2, stride3;
  size_t n1, n2, n3;

  __device__ long long place(size_t i) const {
    const long long i3 = i % n3;
    const long long i2 = i / n3 % n2;
    const long long i1 = i / n3 / n2 % n1;
    const long long i0 = i / n3 / n2 / n1;
    return i0 * stride0 + i1 * stride1 + i2 * stride2 + i3 * stride3;
  }
};

template <class Bits>
__device__ void copy_strided(const Bits* x, Bits* y, size_t count, const Axes& axes) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < count) y[i] = x[axes.place(i)];
}

extern "C" __global__ __launch_bounds__(256) void copy_strided_8(
    const unsigned char* x, unsigned char* y, size_t count, size_t n1, size_t n2, size_t n3,
    long long stride0, long long stride1, long long stride2, long long stride3) {
  copy_strided(x, y, count, {stride0, stride1, stride2, stride3, n1, n2, n3});
}

extern "C" __global__ __launch_bounds__(256) void copy_strided_16(
    const unsigned short* x, unsigned short* y, size_t count, size_t n1, size_t n2, size_t n3,
    long long stride0, long long stride1, long long stride2, long long stride3) {
  copy_strided(x, y, count, {stride0, stride1, stride2, stride3, n1, n2, n3});
}

extern "C" __global__ __launch_bounds__(256) void copy_strided_32(
    const unsigned int* x, unsigned int* y, size_t count, size_t n1, size_t n2, size_t n3,
    long long stride0, long long stride1, long long stride2, long long stride3) {
  copy_strided(x, y, count, {stride0, stride1, stride2, stride3, n1, n2, n3});
}
