// Scalar functions of float, double and integers, without branches, so that loops over them are
// vectorised. They are what the ops' scalar expressions call.
#pragma once

#include "bits.h"

namespace kerasish {
namespace KERASISH_ISA {

template <class T>
struct Same {
  using type = T;
};
template <class T>
using Literal = typename Same<T>::type;  // a parameter from which T is not deduced

// -- arithmetic as NumPy's

// NaN if either is.
template <class T>
KERASISH_INLINE T maximum(T a, Literal<T> b) {
  const T larger = a > b ? a : b;
  return a != a ? a : larger;
}
template <class T>
KERASISH_INLINE T minimum(T a, Literal<T> b) {
  const T smaller = a < b ? a : b;
  return a != a ? a : smaller;
}

KERASISH_INLINE float abs(float x) { return __builtin_fabsf(x); }
KERASISH_INLINE double abs(double x) { return __builtin_fabs(x); }
template <class T>
KERASISH_INLINE T abs(T x) {
  return static_cast<T>(x < 0 ? 0 - static_cast<uint64_t>(x) : static_cast<uint64_t>(x));
}

template <class T>
KERASISH_INLINE T sign(T x) {
  const T found = static_cast<T>((x > 0) - (x < 0));
  return x != x ? x : found;
}

template <class T>
KERASISH_INLINE T floor_divide(T a, T b) {
  const T minus = static_cast<T>(-1);
  const bool negated = minus < 0 && b == minus;
  const T divisor = b == 0 || negated ? static_cast<T>(1) : b;
  const T quotient = static_cast<T>(a / divisor - (a % divisor != 0 && (a < 0) != (b < 0)));
  const T turned = static_cast<T>(0 - static_cast<uint64_t>(a));
  return b == 0 ? static_cast<T>(0) : negated ? turned : quotient;
}
template <class T>
KERASISH_INLINE T mod(T a, T b) {
  const T minus = static_cast<T>(-1);
  const T divisor = b == 0 || (minus < 0 && b == minus) ? static_cast<T>(1) : b;
  const T rest = static_cast<T>(a % divisor);
  return static_cast<T>(rest != 0 && (a < 0) != (b < 0) ? rest + b : rest);
}

template <class T>
KERASISH_INLINE T left_shift(T a, T b) {
  const uint64_t count = static_cast<uint64_t>(b);
  const bool within = count < 8 * sizeof(T);
  return static_cast<T>(within ? static_cast<uint64_t>(a) << (count & 63) : 0);
}
template <class T>
KERASISH_INLINE T right_shift(T a, T b) {
  const uint64_t count = static_cast<uint64_t>(b), most = 8 * sizeof(T) - 1;
  const T shifted = static_cast<T>(a >> (count < most ? count : most));
  return static_cast<T>(-1) > 0 && count > most ? static_cast<T>(0) : shifted;
}

template <class T>
KERASISH_INLINE T rint(T x) {
  return x;
}
template <class T>
KERASISH_INLINE T trunc(T x) {
  return x;
}
template <class T>
KERASISH_INLINE bool isnan(T x) {
  return x != x;
}
template <class T>
KERASISH_INLINE bool isinf(T) {
  return false;
}
template <class T>
KERASISH_INLINE bool isfinite(T) {
  return true;
}
template <class T>
KERASISH_INLINE bool signbit(T x) {
  return x < 0;
}
// Negative exponents give what truncation gives: 0, or +-1 for a base of +-1.
template <class T>
KERASISH_INLINE T pow(T a, T b) {
  uint64_t base = static_cast<uint64_t>(a), product = 1;
  const bool negative = b < 0, unit = a == 1 || (static_cast<T>(-1) < 0 && a == static_cast<T>(-1));
  uint64_t exponent = negative ? 0 - static_cast<uint64_t>(b) : static_cast<uint64_t>(b);
  if (negative && !unit) return 0;
  for (; exponent; exponent >>= 1, base *= base) product *= exponent & 1 ? base : 1;
  return static_cast<T>(product);
}

KERASISH_INLINE bool isinf(float x) { return abs(x) == __builtin_inff(); }
KERASISH_INLINE bool isinf(double x) { return abs(x) == __builtin_inf(); }
KERASISH_INLINE bool isfinite(float x) { return abs(x) < __builtin_inff(); }
KERASISH_INLINE bool isfinite(double x) { return abs(x) < __builtin_inf(); }
KERASISH_INLINE bool signbit(float x) { return bits_of(x) >> 31; }
KERASISH_INLINE bool signbit(double x) { return bits_of(x) >> 63; }

KERASISH_INLINE float mod(float a, float b) {
  const float rest = __builtin_fmodf(a, b), zero = __builtin_copysignf(0.0f, b);
  return rest != 0 ? ((rest < 0) != (b < 0) ? rest + b : rest) : b != 0 ? zero : rest;
}
KERASISH_INLINE double mod(double a, double b) {
  const double rest = __builtin_fmod(a, b), zero = __builtin_copysign(0.0, b);
  return rest != 0 ? ((rest < 0) != (b < 0) ? rest + b : rest) : b != 0 ? zero : rest;
}
KERASISH_INLINE float floor_divide(float a, float b) {
  const float rest = __builtin_fmodf(a, b);
  float quotient = (a - rest) / b;
  quotient -= rest != 0 && (rest < 0) != (b < 0) ? 1.0f : 0.0f;
  float floored = __builtin_floorf(quotient);
  floored += quotient - floored > 0.5f ? 1.0f : 0.0f;
  return b == 0 ? a / b : quotient != 0 ? floored : __builtin_copysignf(0.0f, a / b);
}
KERASISH_INLINE double floor_divide(double a, double b) {
  const double rest = __builtin_fmod(a, b);
  double quotient = (a - rest) / b;
  quotient -= rest != 0 && (rest < 0) != (b < 0) ? 1.0 : 0.0;
  double floored = __builtin_floor(quotient);
  floored += quotient - floored > 0.5 ? 1.0 : 0.0;
  return b == 0 ? a / b : quotient != 0 ? floored : __builtin_copysign(0.0, a / b);
}

// -- of the C library

#define KERASISH_BUILTIN(name)                                              \
  KERASISH_INLINE float name(float x) { return __builtin_##name##f(x); }    \
  KERASISH_INLINE double name(double x) { return __builtin_##name(x); }
#define KERASISH_BUILTIN_2(name)                                                        \
  KERASISH_INLINE float name(float a, float b) { return __builtin_##name##f(a, b); }    \
  KERASISH_INLINE double name(double a, double b) { return __builtin_##name(a, b); }

KERASISH_BUILTIN(sqrt)
KERASISH_BUILTIN(floor)
KERASISH_BUILTIN(ceil)
KERASISH_BUILTIN(trunc)
KERASISH_BUILTIN(rint)
KERASISH_BUILTIN(exp2)
KERASISH_BUILTIN(expm1)
KERASISH_BUILTIN(log)
KERASISH_BUILTIN(log1p)
KERASISH_BUILTIN(log2)
KERASISH_BUILTIN(log10)
KERASISH_BUILTIN(cbrt)
KERASISH_BUILTIN(sin)
KERASISH_BUILTIN(cos)
KERASISH_BUILTIN(tan)
KERASISH_BUILTIN(asin)
KERASISH_BUILTIN(acos)
KERASISH_BUILTIN(atan)
KERASISH_BUILTIN(sinh)
KERASISH_BUILTIN(cosh)
KERASISH_BUILTIN(tanh)
KERASISH_BUILTIN(asinh)
KERASISH_BUILTIN(acosh)
KERASISH_BUILTIN(atanh)
KERASISH_BUILTIN(erf)
KERASISH_BUILTIN(erfc)
KERASISH_BUILTIN(lgamma)
KERASISH_BUILTIN_2(pow)
KERASISH_BUILTIN_2(atan2)
KERASISH_BUILTIN_2(hypot)
KERASISH_BUILTIN_2(nextafter)

#undef KERASISH_BUILTIN
#undef KERASISH_BUILTIN_2

KERASISH_INLINE double exp(double x) { return __builtin_exp(x); }

// Cody and Waite: x = k log 2 + r, |r| <= log 2 / 2, and a polynomial for exp(r).
KERASISH_INLINE float exp(float x) {
  const float bound = x > 89.0f ? 89.0f : x;
  const float within = bound < -104.0f ? -104.0f : bound;
  const float shifted = within * 1.44269504f + 12582912.0f, k = shifted - 12582912.0f;
  const float r = (within - k * 0.693359375f) + k * 2.12194440e-4f;
  float p = 1.9841270e-4f;
  p = p * r + 1.3888889e-3f;
  p = p * r + 8.3333333e-3f;
  p = p * r + 4.1666667e-2f;
  p = p * r + 1.6666667e-1f;
  p = p * r + 0.5f;
  p = p * (r * r) + (r + 1.0f);
  // 2^k in two factors, so that denormals and the largest numbers come out.
  const int32_t whole = static_cast<int32_t>(k), half = whole >> 1;
  const float first = from_bits(static_cast<uint32_t>(half + 127) << 23);
  const float second = from_bits(static_cast<uint32_t>(whole - half + 127) << 23);
  return x != x ? x : p * first * second;
}

template <class T>
KERASISH_INLINE T rsqrt(T x) {
  return 1 / sqrt(x);
}
template <class T>
KERASISH_INLINE T sigmoid(T x) {
  const T power = exp(-abs(x));
  return (x >= 0 ? T(1) : power) / (1 + power);
}
template <class T>
KERASISH_INLINE T softplus(T x) {
  return maximum(x, 0) + log1p(exp(-abs(x)));
}
template <class T>
KERASISH_INLINE T logaddexp(T a, T b) {
  const T larger = maximum(a, b);
  return a == b ? a + T(0.69314718055994530942) : larger + log1p(exp(-abs(a - b)));
}
template <class T>
KERASISH_INLINE T logaddexp2(T a, T b) {
  const T larger = maximum(a, b);
  return a == b ? a + 1 : larger + T(1.4426950408889634074) * log1p(exp2(-abs(a - b)));
}

// A fixed exponent. 1/2 gives the square root, as it does in NumPy (-inf and -0 differ).
template <class T>
KERASISH_INLINE T pow_static(T x, T exponent) {
  return exponent == T(0.5) ? sqrt(x) : pow(x, exponent);
}

}  // namespace KERASISH_ISA
}  // namespace kerasish
