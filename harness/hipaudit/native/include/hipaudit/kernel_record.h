// What a compiled kernel says of itself: records that the compiler's generated lines leave in the
// object, read by the loader. The same layout on both sides.
#pragma once

namespace hipaudit {

enum ParameterKind : unsigned char { kPointer, kInteger, kFloat, kStruct };

struct ParameterRecord {
  unsigned offset;  // in the packed argument buffer
  unsigned size;
  unsigned align;
  unsigned char kind;
  bool is_const;     // of what a pointer points to
  char element[10];  // i8 u8 ... f64, or empty; of the pointee for pointers
};

struct KernelRecord {
  const void* function;
  void (*thunk)(const void* packed);  // runs one thread
  const char* name;                   // as the source has it
  const char* signature;              // parameter list, as the source has it
  const ParameterRecord* parameters;
  unsigned parameter_count;
  unsigned packed_size;
  unsigned max_threads;  // of __launch_bounds__; 0: none given
  unsigned reserved;
};

// A name expression and what it names.
struct NameRecord {
  const char* expression;
  const void* address;
};

}  // namespace hipaudit
