// The markers of HIP's language: where a function runs and where a variable lives.
//
// In HIP mode they are clang's attributes. Elsewhere (the device library includes some of these
// headers as plain C++) they vanish.
#pragma once

#if defined(__HIP__)

#define __host__ __attribute__((host))
#define __device__ __attribute__((device))
#define __global__ __attribute__((global))
#define __constant__ __attribute__((constant))

#if defined(__AMDGCN__)
#define __shared__ __attribute__((shared))
#else
// One copy a block: on the emulated device a block runs on one worker thread at a time, and the
// loader places the thread-local image of a module in the block's own shared memory.
#define __shared__ __attribute__((shared)) thread_local
#endif

#if defined(__AMDGCN__)
// As in AMD's headers: the most threads a block and, given that, the least waves a SIMD.
#define HIPAUDIT_BOUNDS(threads) amdgpu_flat_work_group_size(1, threads)
#define HIPAUDIT_BOUNDS_1(threads) __attribute__((HIPAUDIT_BOUNDS(threads)))
#define HIPAUDIT_BOUNDS_2(threads, waves) \
  __attribute__((HIPAUDIT_BOUNDS(threads), amdgpu_waves_per_eu(waves)))
#define HIPAUDIT_THIRD_OF(one, two, chosen, ...) chosen
#define __launch_bounds__(...) \
  HIPAUDIT_THIRD_OF(__VA_ARGS__, HIPAUDIT_BOUNDS_2, HIPAUDIT_BOUNDS_1, )(__VA_ARGS__)
#else
// clang checks the values and, for this target, emits nothing: they are read from the syntax tree.
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#endif

// Kernels see such a variable as any other of the device; the host's own accesses do not run here.
#define __managed__ __attribute__((device))

#define HIP_DYNAMIC_SHARED(type, name) extern __shared__ type name[];
#define HIP_DYNAMIC_SHARED_ATTRIBUTE

#else

#define __host__
#define __device__
#define __global__
#define __constant__
#define __shared__
#define __launch_bounds__(...)

#endif

#define __align__(...) __attribute__((aligned(__VA_ARGS__)))

// __noinline__ is a keyword of clang's HIP mode. A macro of that name would break libc++, which
// writes `__attribute__((__noinline__))`.
#define __forceinline__ inline __attribute__((always_inline))

// For functions of these headers. `nodebug` gives their instructions the line of the call, so that
// a finding names the kernel's own line, not one in here.
#define HIPAUDIT_DEVICE __device__ inline __attribute__((always_inline, nodebug))
#define HIPAUDIT_HOST_DEVICE __host__ __device__ inline __attribute__((always_inline, nodebug))

namespace hipaudit::detail {

// std::enable_if without the standard library, which is not there under hiprtc.
template <bool kCondition>
struct Enable {};
template <>
struct Enable<true> {
  using Type = int;
};
template <bool kCondition>
using EnableIf = typename Enable<kCondition>::Type;

template <typename T>
inline constexpr bool kIsArithmetic = __is_integral(T) || __is_floating_point(T);

}  // namespace hipaudit::detail
