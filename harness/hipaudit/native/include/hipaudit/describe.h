// Deduces a kernel's parameters from its own type, so that nobody has to parse C++ types. Appended,
// with the records that use it, by the device to every kernel source.
#pragma once

#include "hipaudit/kernel_record.h"

struct __half;
struct __half2;
struct __hip_bfloat16;
struct __hip_bfloat162;
struct hip_bfloat16;
template <typename T, unsigned int kCount>
struct HIP_vector_type;

namespace hipaudit::describe {

template <class T>
struct Bare {
  using type = T;
};
template <class T>
struct Bare<const T> {
  using type = T;
};
template <class T>
struct Bare<volatile T> {
  using type = T;
};
template <class T>
struct Bare<const volatile T> {
  using type = T;
};

template <class A, class B>
constexpr bool same = false;
template <class A>
constexpr bool same<A, A> = true;

// What a vector is made of.
template <class T>
struct Part {
  using type = T;
};
template <class T, unsigned int kCount>
struct Part<HIP_vector_type<T, kCount>> {
  using type = T;
};

template <class T>
constexpr const char* element_name() {
  using U = typename Part<typename Bare<T>::type>::type;
  constexpr bool integer = __is_integral(U) || __is_enum(U);
  if constexpr (__is_void(U) || same<U, bool>) {
    return same<U, bool> ? "u8" : "";
  } else if constexpr (integer) {
    constexpr bool is_signed = static_cast<U>(-1) < static_cast<U>(1);
    switch (sizeof(U)) {
      case 1:
        return is_signed ? "i8" : "u8";
      case 2:
        return is_signed ? "i16" : "u16";
      case 4:
        return is_signed ? "i32" : "u32";
      default:
        return is_signed ? "i64" : "u64";
    }
  } else if constexpr (same<U, float>) {
    return "f32";
  } else if constexpr (same<U, double>) {
    return "f64";
  } else if constexpr (same<U, _Float16> || same<U, __half> || same<U, __half2>) {
    return "f16";
  } else if constexpr (same<U, __bf16> || same<U, __hip_bfloat16> || same<U, __hip_bfloat162> ||
                       same<U, hip_bfloat16>) {
    return "bf16";
  } else {
    return "";
  }
}

template <class T>
struct Pointee {
  using type = void;
};
template <class T>
struct Pointee<T*> {
  using type = T;
};

template <class T>
constexpr bool is_const = false;
template <class T>
constexpr bool is_const<const T> = true;

constexpr unsigned align_up(unsigned offset, unsigned align) {
  return (offset + align - 1) / align * align;
}

template <class T>
constexpr ParameterRecord parameter(unsigned end) {
  using U = typename Bare<T>::type;
  ParameterRecord record = {};
  record.offset = align_up(end, alignof(T));
  record.size = sizeof(T);
  record.align = alignof(T);
  const char* element = nullptr;
  if constexpr (__is_pointer(U)) {
    using P = typename Pointee<U>::type;
    record.kind = kPointer;
    record.is_const = is_const<P>;
    element = element_name<P>();
  } else {
    element = element_name<U>();
    bool scalar = __is_integral(U) || __is_enum(U);
    bool vector = !same<U, typename Part<U>::type> || same<U, __half2> || same<U, __hip_bfloat162>;
    if (vector) element = "";
    record.kind = scalar ? kInteger : (element[0] == '\0' ? kStruct : kFloat);
  }
  for (unsigned i = 0; i < 9 && element[i] != '\0'; ++i) record.element[i] = element[i];
  return record;
}

template <unsigned N>
struct Parameters {
  ParameterRecord list[N == 0 ? 1 : N] = {};
  unsigned end = 0;
  static constexpr unsigned count = N;
};

template <class... P>
constexpr Parameters<sizeof...(P)> parameters() {
  Parameters<sizeof...(P)> all;
  unsigned index = 0;
  ((all.list[index] = parameter<P>(all.end),
    all.end = all.list[index].offset + all.list[index].size, ++index),
   ...);
  return all;
}

template <unsigned... I>
struct Indices {};
template <unsigned N, unsigned... I>
struct Count : Count<N - 1, N - 1, I...> {};
template <unsigned... I>
struct Count<0, I...> {
  using type = Indices<I...>;
};

// Not a kernel but a variable: nothing to run.
template <auto K>
struct Kernel {
  static constexpr void (*entry)(const void*) = nullptr;
  static constexpr Parameters<0> all = {};
};

template <class... P, void (*K)(P...)>
struct Kernel<K> {
  static constexpr Parameters<sizeof...(P)> all = parameters<P...>();

  template <unsigned... I>
  // Reading the arguments is not the kernel's doing: nothing here is checked.
  static __attribute__((device, always_inline, nodebug,
                        no_sanitize("all"))) void call(const char* packed, Indices<I...>) {
    K(*reinterpret_cast<const P*>(packed + all.list[I].offset)...);
  }
  static __attribute__((device, no_sanitize("all"))) void run(const void* packed) {
    call(static_cast<const char*>(packed), typename Count<sizeof...(P)>::type());
  }
  static constexpr void (*entry)(const void*) = &run;
};

}  // namespace hipaudit::describe
