// threadIdx and its like: constants of a thread, read from the worker's context.
#pragma once

#include "hip/host_defines.h"
#include "hipaudit/context.h"
#include "hipaudit/dim3.h"

#if defined(__AMDGCN__)
#include "hipaudit/amdgcn_variables.h"
#endif

namespace hipaudit {

// Not volatile and without a clobber: to the compiler a constant of the thread, that may be kept in
// a register across barriers, as the hardware's own identifiers are.
template <unsigned kOffset>
HIPAUDIT_DEVICE unsigned context_word() {
#if defined(__AMDGCN__)
  return amdgcn_word<kOffset>();
#else
  unsigned value;
  asm("movl %%fs:hipaudit_context@tpoff+%c1, %0" : "=r"(value) : "i"(kOffset));
  return value;
#endif
}

template <unsigned kOffset>
struct IndexVariable {
  __declspec(property(get = get_x)) unsigned x;
  __declspec(property(get = get_y)) unsigned y;
  __declspec(property(get = get_z)) unsigned z;
  HIPAUDIT_DEVICE unsigned get_x() const { return context_word<kOffset>(); }
  HIPAUDIT_DEVICE unsigned get_y() const { return context_word<kOffset + 4>(); }
  HIPAUDIT_DEVICE unsigned get_z() const { return context_word<kOffset + 8>(); }
  HIPAUDIT_DEVICE operator dim3() const { return dim3(get_x(), get_y(), get_z()); }
};

struct WaveSize {
  HIPAUDIT_DEVICE operator int() const {
    return static_cast<int>(context_word<__builtin_offsetof(Context, wave_size)>());
  }
};

}  // namespace hipaudit

static constexpr __device__ hipaudit::IndexVariable<__builtin_offsetof(hipaudit::Context, thread)>
    threadIdx = {};
static constexpr __device__ hipaudit::IndexVariable<__builtin_offsetof(hipaudit::Context, block)>
    blockIdx = {};
static constexpr __device__
    hipaudit::IndexVariable<__builtin_offsetof(hipaudit::Context, block_dim)>
        blockDim = {};
static constexpr __device__ hipaudit::IndexVariable<__builtin_offsetof(hipaudit::Context, grid_dim)>
    gridDim = {};

#if defined(__HIP_DEVICE_COMPILE__)
// The profile's width: a constant for the compiler, as on AMD.
static constexpr __device__ int warpSize = __AMDGCN_WAVEFRONT_SIZE;
#else
static constexpr int warpSize = 64;
#endif

// Positions along one axis, as HIP spells them out for C.
#define hipThreadIdx_x (threadIdx.x)
#define hipThreadIdx_y (threadIdx.y)
#define hipThreadIdx_z (threadIdx.z)
#define hipBlockIdx_x (blockIdx.x)
#define hipBlockIdx_y (blockIdx.y)
#define hipBlockIdx_z (blockIdx.z)
#define hipBlockDim_x (blockDim.x)
#define hipBlockDim_y (blockDim.y)
#define hipBlockDim_z (blockDim.z)
#define hipGridDim_x (gridDim.x)
#define hipGridDim_y (gridDim.y)
#define hipGridDim_z (gridDim.z)
