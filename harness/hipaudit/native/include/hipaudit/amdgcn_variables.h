// Where a thread is, on AMD's own processors: what the emulated device keeps in a Context.
#pragma once

#include "hip/host_defines.h"
#include "hipaudit/context.h"

namespace hipaudit {

// Blocks along one axis: the dispatch packet has threads.
HIPAUDIT_DEVICE unsigned amdgcn_blocks(unsigned threads, unsigned block) {
  return (threads + block - 1) / block;
}

// A word of Context, by its offset there.
template <unsigned kOffset>
HIPAUDIT_DEVICE unsigned amdgcn_word() {
  constexpr unsigned kThread = __builtin_offsetof(Context, thread);
  constexpr unsigned kBlock = __builtin_offsetof(Context, block);
  constexpr unsigned kBlockDim = __builtin_offsetof(Context, block_dim);
  constexpr unsigned kGridDim = __builtin_offsetof(Context, grid_dim);
  if constexpr (kOffset == kThread) return __builtin_amdgcn_workitem_id_x();
  if constexpr (kOffset == kThread + 4) return __builtin_amdgcn_workitem_id_y();
  if constexpr (kOffset == kThread + 8) return __builtin_amdgcn_workitem_id_z();
  if constexpr (kOffset == kThread + 12) {
    return (amdgcn_word<kThread + 8>() * amdgcn_word<kBlockDim + 4>() +
            amdgcn_word<kThread + 4>()) *
               amdgcn_word<kBlockDim>() +
           amdgcn_word<kThread>();
  }
  if constexpr (kOffset == kBlock) return __builtin_amdgcn_workgroup_id_x();
  if constexpr (kOffset == kBlock + 4) return __builtin_amdgcn_workgroup_id_y();
  if constexpr (kOffset == kBlock + 8) return __builtin_amdgcn_workgroup_id_z();
  if constexpr (kOffset == kBlock + 12) {
    return (amdgcn_word<kBlock + 8>() * amdgcn_word<kGridDim + 4>() + amdgcn_word<kBlock + 4>()) *
               amdgcn_word<kGridDim>() +
           amdgcn_word<kBlock>();
  }
  if constexpr (kOffset == kBlockDim) return __builtin_amdgcn_workgroup_size_x();
  if constexpr (kOffset == kBlockDim + 4) return __builtin_amdgcn_workgroup_size_y();
  if constexpr (kOffset == kBlockDim + 8) return __builtin_amdgcn_workgroup_size_z();
  if constexpr (kOffset == kBlockDim + 12) {
    return amdgcn_word<kBlockDim>() * amdgcn_word<kBlockDim + 4>() * amdgcn_word<kBlockDim + 8>();
  }
  if constexpr (kOffset == kGridDim)
    return amdgcn_blocks(__builtin_amdgcn_grid_size_x(), amdgcn_word<kBlockDim>());
  if constexpr (kOffset == kGridDim + 4)
    return amdgcn_blocks(__builtin_amdgcn_grid_size_y(), amdgcn_word<kBlockDim + 4>());
  if constexpr (kOffset == kGridDim + 8)
    return amdgcn_blocks(__builtin_amdgcn_grid_size_z(), amdgcn_word<kBlockDim + 8>());
  if constexpr (kOffset == kGridDim + 12)
    return amdgcn_word<kGridDim>() * amdgcn_word<kGridDim + 4>() * amdgcn_word<kGridDim + 8>();
  return __AMDGCN_WAVEFRONT_SIZE;
}

}  // namespace hipaudit
