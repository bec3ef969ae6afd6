// Stream-ordered memory pools: which buffers belong to which pool, and how much that is. The pools
// hold no freed memory back: a freed buffer is gone, so that using it is seen.
#pragma once

#include <cstddef>

namespace hipaudit {

// A buffer is about to be freed by whichever call: its pool no longer counts it.
void forget_pooled(const void* pointer);

// hipDeviceReset freed everything.
void forget_all_pooled();

}  // namespace hipaudit
