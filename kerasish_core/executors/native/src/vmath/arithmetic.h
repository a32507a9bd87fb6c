// Arithmetic, comparisons and integers as NumPy has them.
#pragma once

#include "vmath/format.h"

namespace kerasish {
namespace KERASISH_ISA {

template <class T>
struct Same {
  using type = T;
};
template <class T>
using Literal = typename Same<T>::type;  // a parameter from which T is not deduced

KERASISH_INLINE float sqrt(float x) { return __builtin_sqrtf(x); }
KERASISH_INLINE double sqrt(double x) { return __builtin_sqrt(x); }
template <class T>
KERASISH_INLINE T rsqrt(T x) {
  return 1 / sqrt(x);
}

// -- rounding

#if defined(__SSE4_1__) || defined(__aarch64__) || !defined(KERASISH_X86)
KERASISH_INLINE float floor(float x) { return __builtin_floorf(x); }
KERASISH_INLINE float ceil(float x) { return __builtin_ceilf(x); }
KERASISH_INLINE float trunc(float x) { return __builtin_truncf(x); }
KERASISH_INLINE float rint(float x) { return __builtin_rintf(x); }
KERASISH_INLINE double floor(double x) { return __builtin_floor(x); }
KERASISH_INLINE double ceil(double x) { return __builtin_ceil(x); }
KERASISH_INLINE double trunc(double x) { return __builtin_trunc(x); }
KERASISH_INLINE double rint(double x) { return __builtin_rint(x); }
#else
// Adding 2^mantissa rounds to integers; beyond it there is nothing to round.
template <class T>
KERASISH_INLINE T nearest(T x) {
  constexpr T large = T(typename Format<T>::Bits(1) << Format<T>::mantissa);
  const T size = abs(x), rounded = (size + large) - large;
  return copysign(size < large ? rounded : size, x);
}
template <class T>
KERASISH_INLINE T below(T x) {
  const T near = nearest(x);
  return copysign(near > x ? near - 1 : near, x);
}
KERASISH_INLINE float rint(float x) { return nearest(x); }
KERASISH_INLINE double rint(double x) { return nearest(x); }
KERASISH_INLINE float floor(float x) { return below(x); }
KERASISH_INLINE double floor(double x) { return below(x); }
KERASISH_INLINE float ceil(float x) { return -below(-x); }
KERASISH_INLINE double ceil(double x) { return -below(-x); }
KERASISH_INLINE float trunc(float x) { return copysign(below(abs(x)), x); }
KERASISH_INLINE double trunc(double x) { return copysign(below(abs(x)), x); }
#endif

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

// -- remainders of numbers

// As C's fmod, if the quotient is below 2^28 or 2^52; `is_hard` tells where it is not.
KERASISH_INLINE float remainder(float a, float b) {
  const double quotient = trunc(static_cast<double>(a) / static_cast<double>(b));
  return static_cast<float>(a - quotient * b);
}
KERASISH_INLINE bool is_hard(float a, float b) {
  return (abs(a) > abs(b) * 0x1p28f) | isinf(b);
}
KERASISH_INLINE double remainder(double a, double b) {
  // The quotient may be rounded up to an integer; the product must not be rounded.
  const double quotient = trunc(a / b), rest = fma(-quotient, b, a);
  return (rest < 0) != (a < 0) && rest != 0 ? rest + copysign(b, a) : rest;
}
KERASISH_INLINE bool is_hard(double a, double b) {
#ifdef KERASISH_FMA
  return (abs(a) > abs(b) * 0x1p52) | isinf(b);
#else
  return a == a || b == b;
#endif
}

template <class T>
KERASISH_INLINE T mod_from(T rest, T b) {
  const T turned = (rest < 0) != (b < 0) ? rest + b : rest;
  return rest != 0 ? turned : b != 0 ? copysign(T(0), b) : rest;
}
template <class T>
KERASISH_INLINE T floor_divide_from(T rest, T a, T b) {
  const T quotient = (a - rest) / b;
  const T lower = rest != 0 && (rest < 0) != (b < 0) ? quotient - 1 : quotient;
  const T floored = floor(lower);
  const T found = lower - floored > T(0.5) ? floored + 1 : floored;
  return b == 0 ? a / b : lower != 0 ? found : copysign(T(0), a / b);
}
KERASISH_INLINE float mod(float a, float b) { return mod_from(remainder(a, b), b); }
KERASISH_INLINE double mod(double a, double b) { return mod_from(remainder(a, b), b); }
KERASISH_INLINE float floor_divide(float a, float b) {
  return floor_divide_from(remainder(a, b), a, b);
}
KERASISH_INLINE double floor_divide(double a, double b) {
  return floor_divide_from(remainder(a, b), a, b);
}

// The next number from a towards b.
KERASISH_INLINE uint32_t nextafter_bits(uint32_t bits, bool away) { return away ? bits + 1 : bits - 1; }
KERASISH_INLINE uint64_t nextafter_bits(uint64_t bits, bool away) { return away ? bits + 1 : bits - 1; }
template <class T>
KERASISH_INLINE T nextafter(T a, T b) {
  const bool away = (b > a) == (a > 0);
  const T found = from_bits(nextafter_bits(bits_of(a), away));
  const T least = copysign(from_bits(typename Format<T>::Bits(1)), b);
  const T moved = a == 0 ? least : found;
  return (a != a) | (b != b) ? a + b : a == b ? b : moved;
}

}  // namespace KERASISH_ISA
}  // namespace kerasish
