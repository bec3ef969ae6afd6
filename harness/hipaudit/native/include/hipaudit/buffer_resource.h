// Loads and stores through a buffer resource: a base, and how many bytes from there are in range.
// What is out of range reads as zero and is not stored, word by word, as the hardware has it for
// raw buffers; what is in range is an access like any other.
#pragma once

#include "hip/host_defines.h"

#if !defined(__AMDGCN__)

namespace hipaudit {

struct BufferResource {
  char* base;
  unsigned bytes;
};

template <int kCount>
using BufferWords = unsigned __attribute__((ext_vector_type(kCount)));

// The place of `size` bytes; nullptr: they are out of range.
HIPAUDIT_DEVICE char* buffer_place(BufferResource buffer, unsigned offset, unsigned scalar_offset,
                                   unsigned size) {
  const unsigned long long end = static_cast<unsigned long long>(offset) + scalar_offset + size;
  return end <= buffer.bytes ? buffer.base + offset + scalar_offset : nullptr;
}

template <class T>
HIPAUDIT_DEVICE T buffer_load(BufferResource buffer, unsigned offset, unsigned scalar_offset) {
  const char* place = buffer_place(buffer, offset, scalar_offset, sizeof(T));
  return place == nullptr ? T() : *reinterpret_cast<const T*>(place);
}

template <class T>
HIPAUDIT_DEVICE void buffer_store(T value, BufferResource buffer, unsigned offset,
                                  unsigned scalar_offset) {
  char* place = buffer_place(buffer, offset, scalar_offset, sizeof(T));
  if (place != nullptr) *reinterpret_cast<T*>(place) = value;
}

template <int kCount>
HIPAUDIT_DEVICE BufferWords<kCount> buffer_load_words(BufferResource buffer, unsigned offset,
                                                      unsigned scalar_offset) {
  BufferWords<kCount> words;
  for (int i = 0; i < kCount; ++i)
    words[i] = buffer_load<unsigned>(buffer, offset + 4u * i, scalar_offset);
  return words;
}

template <int kCount>
HIPAUDIT_DEVICE void buffer_store_words(BufferWords<kCount> words, BufferResource buffer,
                                        unsigned offset, unsigned scalar_offset) {
  for (int i = 0; i < kCount; ++i)
    buffer_store<unsigned>(words[i], buffer, offset + 4u * i, scalar_offset);
}

}  // namespace hipaudit

#define __amdgpu_buffer_rsrc_t hipaudit::BufferResource

// The stride and the flags say how records are swizzled, which raw accesses are not.
HIPAUDIT_DEVICE __amdgpu_buffer_rsrc_t __builtin_amdgcn_make_buffer_rsrc(const void* base, short,
                                                                         unsigned bytes, int) {
  return {static_cast<char*>(const_cast<void*>(base)), bytes};
}

#define HIPAUDIT_BUFFER(bits, T)                                                            \
  HIPAUDIT_DEVICE T __builtin_amdgcn_raw_buffer_load_b##bits(__amdgpu_buffer_rsrc_t buffer, \
                                                             int offset, int scalar, int) { \
    return hipaudit::buffer_load<T>(buffer, offset, scalar);                                \
  }                                                                                         \
  HIPAUDIT_DEVICE void __builtin_amdgcn_raw_buffer_store_b##bits(                           \
      T value, __amdgpu_buffer_rsrc_t buffer, int offset, int scalar, int) {                \
    hipaudit::buffer_store<T>(value, buffer, offset, scalar);                               \
  }
HIPAUDIT_BUFFER(8, unsigned char)
HIPAUDIT_BUFFER(16, unsigned short)
HIPAUDIT_BUFFER(32, unsigned)
#undef HIPAUDIT_BUFFER

#define HIPAUDIT_BUFFER_WORDS(bits, count)                                                       \
  HIPAUDIT_DEVICE hipaudit::BufferWords<count> __builtin_amdgcn_raw_buffer_load_b##bits(         \
      __amdgpu_buffer_rsrc_t buffer, int offset, int scalar, int) {                              \
    return hipaudit::buffer_load_words<count>(buffer, offset, scalar);                           \
  }                                                                                              \
  HIPAUDIT_DEVICE void __builtin_amdgcn_raw_buffer_store_b##bits(                                \
      hipaudit::BufferWords<count> words, __amdgpu_buffer_rsrc_t buffer, int offset, int scalar, \
      int) {                                                                                     \
    hipaudit::buffer_store_words<count>(words, buffer, offset, scalar);                          \
  }
HIPAUDIT_BUFFER_WORDS(64, 2)
HIPAUDIT_BUFFER_WORDS(96, 3)
HIPAUDIT_BUFFER_WORDS(128, 4)
#undef HIPAUDIT_BUFFER_WORDS

#endif
