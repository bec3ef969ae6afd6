// The errors of one float function over a range of its arguments' bit patterns, in ULP, counted.
//
//   -DFUNCTION=expf     what is judged
//   -DREFERENCE=exp     the same of a double, whose own error must stay far below kUndecided
//
// Argument number i has the bits first + i * step. A thread takes `run` arguments in turn; the
// launch must cover `count`. bins[k] counts errors up to the k-th edge (see `edge`), and its last
// entry what is wrong in kind: a NaN or an infinity out of place, a zero of the wrong sign.
// Arguments whose exact result lies so near to the middle of two floats that the reference cannot
// tell which is nearer are not counted: they are listed, for an oracle of more digits.
#include <hip/hip_runtime.h>

namespace {

constexpr int kBins = 12;
constexpr double kUndecided = 0x1p-25;  // ULP; 16 units in the last place of the double

// Upper edges of the bins in ULP; bin 0 is what is correctly rounded.
__device__ double edge(int bin) {
  constexpr double kEdges[kBins] = {0.5, 0.5001, 0.501, 0.51, 0.55, 0.75, 1, 1.5, 2, 3, 4.5, 1e300};
  return kEdges[bin];
}

// The distance of floats at a double, gradual underflow included.
__device__ double spacing(double value) {
  long long exponent = (__double_as_longlong(value) >> 52 & 0x7ff) - 1023 - 23;
  if (exponent < -149) exponent = -149;
  return __longlong_as_double((exponent + 1023) << 52);
}

struct Worst {
  double error;
  unsigned bits;
};

}  // namespace

extern "C" __global__ void census(unsigned first, unsigned step, unsigned count, unsigned run,
                                  unsigned long long* bins, double* worst_error,
                                  unsigned* worst_bits, unsigned* undecided, unsigned* listed,
                                  unsigned most) {
  const unsigned thread = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned begin = thread * run;
  unsigned long long counted[kBins + 1] = {};
  Worst worst = {-1, 0};
  for (unsigned i = begin; i < begin + run && i < count; ++i) {
    const unsigned bits = first + i * step;
    const float x = __uint_as_float(bits);
    const float got = FUNCTION(x);
    const double exact = REFERENCE(static_cast<double>(x));
    const float rounded = static_cast<float>(exact);
    const bool both_nan = got != got && exact != exact;
    if (both_nan || __float_as_uint(got) == __float_as_uint(rounded)) {
      ++counted[0];
      if (both_nan || isinf(rounded)) continue;
      const double error = fabs(static_cast<double>(got) - exact) / spacing(exact);
      if (error > worst.error && error <= 0.5 - kUndecided) worst = {error, bits};
      if (error <= 0.5 - kUndecided) continue;
      --counted[0];
      const unsigned place = atomicAdd(listed, 1u);
      if (place < most) undecided[place] = bits;
      continue;
    }
    const bool wrong_kind =
        got != got || exact != exact || isinf(got) != isinf(rounded) || (got == 0 && exact == 0);
    if (wrong_kind) {
      ++counted[kBins];
      continue;
    }
    const double error = fabs(static_cast<double>(got) - exact) / spacing(exact);
    if (error <= 0.5 + kUndecided) {
      const unsigned place = atomicAdd(listed, 1u);
      if (place < most) undecided[place] = bits;
      continue;
    }
    int bin = 1;
    while (error > edge(bin)) ++bin;
    ++counted[bin];
    if (error > worst.error) worst = {error, bits};
  }
  for (int bin = 0; bin <= kBins; ++bin)
    if (counted[bin] != 0) atomicAdd(&bins[bin], counted[bin]);
  worst_error[thread] = worst.error;
  worst_bits[thread] = worst.bits;
}

// Both sides of single arguments: for the oracle to judge the reference, and what was listed.
extern "C" __global__ void sample(const unsigned* bits, float* got, double* reference, int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  const float x = __uint_as_float(bits[i]);
  got[i] = FUNCTION(x);
  reference[i] = REFERENCE(static_cast<double>(x));
}
