// The audio front end: power spectra of windowed frames, and their log-mel features.
//
// Formula   X_f[k] = sum_j signal[f hop + j] window[j] exp(-2 pi i j k / n), power = |X_f[k]|^2,
//           k = 0..n/2; mel[b] = log10(max(sum_k filters[b][k] power[k], floor))
// Layout    signal: rows x samples; window: n; twiddles: n pairs (cos, -sin) of 2 pi t / n;
//           filters: bins x (n / 2 + 1); result: rows x frames x (n / 2 + 1, or bins), float32,
//           row-major; frames = 1 + (samples - n) / hop.
// Grid      a block a frame, one-dimensional. Block: one-dimensional, any size up to 256.
// Memory    dynamic shared: 4 n floats.
// Limits    1 <= n <= 2048 with prime factors up to 13; hop >= 1.
// Method    Stockham's autosorting FFT of mixed radix: stage by stage, with m the product of the
//           factors done, each element of the next array is the sum of p elements of the last, n /
//           p apart, times their twiddles. Van Loan, Computational Frameworks for the Fast Fourier
//           Transform, 1992, section 1.7. Factors: 4 while it divides, then the smallest prime.
// Rounding  p products and sums an element and stage; twiddles rounded once, on the host; a mel bin
//           is one serial sum.

#include <hip/hip_runtime.h>

struct Complex {
  float re;
  float im;
};

__device__ int factor_of(int n) {
  if (n % 4 == 0) return 4;
  int p = 2;
  while (n % p != 0) ++p;
  return p;
}

// One stage: `done` is the product of the factors before p.
__device__ void stage(const Complex* from, Complex* to, const Complex* twiddles, int n, int done,
                      int p) {
  const int span = done * p;
  const int apart = n / p;
  for (int o = threadIdx.x; o < n; o += blockDim.x) {
    const int q = o % span;
    const Complex* x = from + o / span * done + q % done;
    const int step = q * (n / span);  // below n; the twiddle of term r is r steps on
    Complex sum = x[0];
    for (int r = 1, t = step; r < p; ++r, t = t + step < n ? t + step : t + step - n) {
      const Complex w = twiddles[t];
      const Complex value = x[r * apart];
      sum.re += value.re * w.re - value.im * w.im;
      sum.im += value.re * w.im + value.im * w.re;
    }
    to[o] = sum;
  }
}

struct Frames {
  const float* signal;
  const float* window;
  const Complex* twiddles;
  int samples;
  int hop;
  int n;
};

// The block's spectrum, in one of the two halves of `memory`.
__device__ const Complex* spectrum(const Frames& frames, Complex* memory) {
  const int n = frames.n;
  const int count = 1 + (frames.samples - n) / frames.hop;
  const size_t row = blockIdx.x / count;
  const int frame = blockIdx.x % count;
  const float* signal =
      frames.signal + row * frames.samples + static_cast<size_t>(frame) * frames.hop;
  for (int j = threadIdx.x; j < n; j += blockDim.x) {
    memory[j] = {signal[j] * frames.window[j], 0.0f};
  }
  __syncthreads();
  Complex* from = memory;
  Complex* to = memory + n;
  for (int done = 1; done < n;) {
    const int p = factor_of(n / done);
    stage(from, to, frames.twiddles, n, done, p);
    __syncthreads();
    done *= p;
    Complex* const next = from;
    from = to;
    to = next;
  }
  return from;
}

__device__ float power_of(Complex value) { return value.re * value.re + value.im * value.im; }

extern "C" __global__ __launch_bounds__(256) void power_spectrum(const float* signal,
                                                                 const float* window,
                                                                 const Complex* twiddles,
                                                                 float* power, int samples, int hop,
                                                                 int n) {
  extern __shared__ Complex memory[];
  const Complex* x = spectrum({signal, window, twiddles, samples, hop, n}, memory);
  float* to = power + static_cast<size_t>(blockIdx.x) * (n / 2 + 1);
  for (int k = threadIdx.x; k <= n / 2; k += blockDim.x) to[k] = power_of(x[k]);
}

extern "C" __global__ __launch_bounds__(256) void log_mel(const float* signal, const float* window,
                                                          const Complex* twiddles,
                                                          const float* filters, float* features,
                                                          int samples, int hop, int n, int bins,
                                                          float floor) {
  extern __shared__ Complex memory[];
  const Complex* x = spectrum({signal, window, twiddles, samples, hop, n}, memory);
  // The half that the last stage read is free for the powers.
  float* power = reinterpret_cast<float*>(x == memory ? memory + n : memory);
  for (int k = threadIdx.x; k <= n / 2; k += blockDim.x) power[k] = power_of(x[k]);
  __syncthreads();
  float* to = features + static_cast<size_t>(blockIdx.x) * bins;
  for (int b = threadIdx.x; b < bins; b += blockDim.x) {
    const float* filter = filters + static_cast<size_t>(b) * (n / 2 + 1);
    float sum = 0.0f;
    for (int k = 0; k <= n / 2; ++k) sum += filter[k] * power[k];
    to[b] = log10f(sum > floor || sum != sum ? sum : floor);
  }
}
