// HIP's short vectors: char1 ... double4, their operators and make_ functions, and dim3.
//
// Layout as on AMD: two and four elements are aligned to their whole size (float4 16, double4 32),
// three to one element (float3: size 12, alignment 4). All are trivially copyable and have a
// trivial default constructor, so they can be __shared__. One value alone fills x and leaves the
// rest zero, as in ROCm 7 and CUDA.
#pragma once

#include "../hipaudit/dim3.h"
#include "host_defines.h"

template <typename T, unsigned int kCount>
struct HIP_vector_type;

template <typename T>
struct HIP_vector_type<T, 1> {
  using value_type = T;
  T x;

  HIP_vector_type() = default;
  HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type(T x_value) : x(x_value) {}

  HIPAUDIT_HOST_DEVICE T& operator[](unsigned long i) { return (&x)[i]; }
  HIPAUDIT_HOST_DEVICE const T& operator[](unsigned long i) const { return (&x)[i]; }
};

template <typename T>
struct alignas(2 * sizeof(T)) HIP_vector_type<T, 2> {
  using value_type = T;
  T x, y;

  HIP_vector_type() = default;
  HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type(T x_value, T y_value = T())
      : x(x_value), y(y_value) {}

  HIPAUDIT_HOST_DEVICE T& operator[](unsigned long i) { return (&x)[i]; }
  HIPAUDIT_HOST_DEVICE const T& operator[](unsigned long i) const { return (&x)[i]; }
};

template <typename T>
struct HIP_vector_type<T, 3> {
  using value_type = T;
  T x, y, z;

  HIP_vector_type() = default;
  HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type(T x_value, T y_value = T(), T z_value = T())
      : x(x_value), y(y_value), z(z_value) {}

  HIPAUDIT_HOST_DEVICE T& operator[](unsigned long i) { return (&x)[i]; }
  HIPAUDIT_HOST_DEVICE const T& operator[](unsigned long i) const { return (&x)[i]; }
};

template <typename T>
struct alignas(4 * sizeof(T)) HIP_vector_type<T, 4> {
  using value_type = T;
  T x, y, z, w;

  HIP_vector_type() = default;
  HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type(T x_value, T y_value = T(), T z_value = T(),
                                                 T w_value = T())
      : x(x_value), y(y_value), z(z_value), w(w_value) {}

  HIPAUDIT_HOST_DEVICE T& operator[](unsigned long i) { return (&x)[i]; }
  HIPAUDIT_HOST_DEVICE const T& operator[](unsigned long i) const { return (&x)[i]; }
};

namespace hipaudit::detail {

template <typename T, unsigned int kCount>
HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type<T, kCount> broadcast(T value) {
  if constexpr (kCount == 1) return {value};
  if constexpr (kCount == 2) return {value, value};
  if constexpr (kCount == 3) return {value, value, value};
  if constexpr (kCount == 4) return {value, value, value, value};
}

}  // namespace hipaudit::detail

// A symbol cannot be a template parameter, hence the macros. Operands are taken by value: one
// access of the whole vector, as the hardware does it, not one per element. A scalar operand is
// converted to the element type first, so int4 * 2.5f multiplies by 2, as on AMD.
#define HIPAUDIT_VECTOR_OPERATOR(OP)                                                               \
  template <typename T, unsigned int N>                                                            \
  HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type<T, N> operator OP(HIP_vector_type<T, N> a,        \
                                                                   HIP_vector_type<T, N> b) {      \
    a.x = static_cast<T>(a.x OP b.x);                                                              \
    if constexpr (N > 1) a.y = static_cast<T>(a.y OP b.y);                                         \
    if constexpr (N > 2) a.z = static_cast<T>(a.z OP b.z);                                         \
    if constexpr (N > 3) a.w = static_cast<T>(a.w OP b.w);                                         \
    return a;                                                                                      \
  }                                                                                                \
  template <typename T, unsigned int N, typename U,                                                \
            hipaudit::detail::EnableIf<__is_convertible(U, T)> = 0>                                \
  HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type<T, N> operator OP(HIP_vector_type<T, N> a, U b) { \
    return a OP hipaudit::detail::broadcast<T, N>(static_cast<T>(b));                              \
  }                                                                                                \
  template <typename T, unsigned int N, typename U,                                                \
            hipaudit::detail::EnableIf<__is_convertible(U, T)> = 0>                                \
  HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type<T, N> operator OP(U a, HIP_vector_type<T, N> b) { \
    return hipaudit::detail::broadcast<T, N>(static_cast<T>(a)) OP b;                              \
  }                                                                                                \
  template <typename T, unsigned int N>                                                            \
  HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type<T, N>& operator OP## =                            \
      (HIP_vector_type<T, N> & a, HIP_vector_type<T, N> b) {                                       \
    return a = a OP b;                                                                             \
  }                                                                                                \
  template <typename T, unsigned int N, typename U,                                                \
            hipaudit::detail::EnableIf<__is_convertible(U, T)> = 0>                                \
  HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type<T, N>& operator OP## =                            \
      (HIP_vector_type<T, N> & a, U b) {                                                           \
    return a = a OP b;                                                                             \
  }

HIPAUDIT_VECTOR_OPERATOR(+)
HIPAUDIT_VECTOR_OPERATOR(-)
HIPAUDIT_VECTOR_OPERATOR(*)
HIPAUDIT_VECTOR_OPERATOR(/)
HIPAUDIT_VECTOR_OPERATOR(%)
HIPAUDIT_VECTOR_OPERATOR(&)
HIPAUDIT_VECTOR_OPERATOR(|)
HIPAUDIT_VECTOR_OPERATOR(^)
HIPAUDIT_VECTOR_OPERATOR(<<)
HIPAUDIT_VECTOR_OPERATOR(>>)
#undef HIPAUDIT_VECTOR_OPERATOR

#define HIPAUDIT_VECTOR_UNARY(OP)                                                             \
  template <typename T, unsigned int N>                                                       \
  HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type<T, N> operator OP(HIP_vector_type<T, N> a) { \
    a.x = static_cast<T>(OP a.x);                                                             \
    if constexpr (N > 1) a.y = static_cast<T>(OP a.y);                                        \
    if constexpr (N > 2) a.z = static_cast<T>(OP a.z);                                        \
    if constexpr (N > 3) a.w = static_cast<T>(OP a.w);                                        \
    return a;                                                                                 \
  }

HIPAUDIT_VECTOR_UNARY(+)
HIPAUDIT_VECTOR_UNARY(-)
HIPAUDIT_VECTOR_UNARY(~)
#undef HIPAUDIT_VECTOR_UNARY

template <typename T, unsigned int N>
HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type<T, N>& operator++(HIP_vector_type<T, N>& a) {
  return a += T(1);
}

template <typename T, unsigned int N>
HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type<T, N>& operator--(HIP_vector_type<T, N>& a) {
  return a -= T(1);
}

template <typename T, unsigned int N>
HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type<T, N> operator++(HIP_vector_type<T, N>& a, int) {
  const HIP_vector_type<T, N> before = a;
  a += T(1);
  return before;
}

template <typename T, unsigned int N>
HIPAUDIT_HOST_DEVICE constexpr HIP_vector_type<T, N> operator--(HIP_vector_type<T, N>& a, int) {
  const HIP_vector_type<T, N> before = a;
  a -= T(1);
  return before;
}

// Equal when every element is; a scalar is compared with each.
template <typename T, unsigned int N>
HIPAUDIT_HOST_DEVICE constexpr bool operator==(HIP_vector_type<T, N> a, HIP_vector_type<T, N> b) {
  bool equal = a.x == b.x;
  if constexpr (N > 1) equal = equal && a.y == b.y;
  if constexpr (N > 2) equal = equal && a.z == b.z;
  if constexpr (N > 3) equal = equal && a.w == b.w;
  return equal;
}

template <typename T, unsigned int N>
HIPAUDIT_HOST_DEVICE constexpr bool operator!=(HIP_vector_type<T, N> a, HIP_vector_type<T, N> b) {
  return !(a == b);
}

#define HIPAUDIT_VECTOR_EQUALITY(OP)                                              \
  template <typename T, unsigned int N, typename U,                               \
            hipaudit::detail::EnableIf<__is_convertible(U, T)> = 0>               \
  HIPAUDIT_HOST_DEVICE constexpr bool operator OP(HIP_vector_type<T, N> a, U b) { \
    return a OP hipaudit::detail::broadcast<T, N>(static_cast<T>(b));             \
  }                                                                               \
  template <typename T, unsigned int N, typename U,                               \
            hipaudit::detail::EnableIf<__is_convertible(U, T)> = 0>               \
  HIPAUDIT_HOST_DEVICE constexpr bool operator OP(U a, HIP_vector_type<T, N> b) { \
    return hipaudit::detail::broadcast<T, N>(static_cast<T>(a)) OP b;             \
  }

HIPAUDIT_VECTOR_EQUALITY(==)
HIPAUDIT_VECTOR_EQUALITY(!=)
#undef HIPAUDIT_VECTOR_EQUALITY

#define HIPAUDIT_VECTOR_NAMES(NAME, T)                                                       \
  using NAME##1 = HIP_vector_type<T, 1>;                                                     \
  using NAME##2 = HIP_vector_type<T, 2>;                                                     \
  using NAME##3 = HIP_vector_type<T, 3>;                                                     \
  using NAME##4 = HIP_vector_type<T, 4>;                                                     \
  HIPAUDIT_HOST_DEVICE constexpr NAME##1 make_##NAME##1(T x) { return {x}; }                 \
  HIPAUDIT_HOST_DEVICE constexpr NAME##2 make_##NAME##2(T x, T y) { return {x, y}; }         \
  HIPAUDIT_HOST_DEVICE constexpr NAME##3 make_##NAME##3(T x, T y, T z) { return {x, y, z}; } \
  HIPAUDIT_HOST_DEVICE constexpr NAME##4 make_##NAME##4(T x, T y, T z, T w) { return {x, y, z, w}; }

HIPAUDIT_VECTOR_NAMES(char, char)
HIPAUDIT_VECTOR_NAMES(uchar, unsigned char)
HIPAUDIT_VECTOR_NAMES(short, short)
HIPAUDIT_VECTOR_NAMES(ushort, unsigned short)
HIPAUDIT_VECTOR_NAMES(int, int)
HIPAUDIT_VECTOR_NAMES(uint, unsigned int)
HIPAUDIT_VECTOR_NAMES(long, long)
HIPAUDIT_VECTOR_NAMES(ulong, unsigned long)
HIPAUDIT_VECTOR_NAMES(longlong, long long)
HIPAUDIT_VECTOR_NAMES(ulonglong, unsigned long long)
HIPAUDIT_VECTOR_NAMES(float, float)
HIPAUDIT_VECTOR_NAMES(double, double)
#undef HIPAUDIT_VECTOR_NAMES
