// Patterns painted over memory that nobody may write: slack round buffers, and freed buffers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hipaudit {

enum class Pattern : uint8_t { slack, freed };

// Fills the bytes of [start, start + bytes). What a byte holds depends on its address alone.
void paint(uintptr_t start, size_t bytes, Pattern pattern);

// The part of a painted range that was overwritten: from its first changed byte to its last.
struct Damage {
  uintptr_t start = 0;
  size_t bytes = 0;  // 0: the pattern is whole
};
Damage find_damage(uintptr_t start, size_t bytes, Pattern pattern);

}  // namespace hipaudit
