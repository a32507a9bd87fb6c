// The number formats: their parts, and what makes use of the parts.
#pragma once

#include "bits.h"

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define KERASISH_FMA 1
#endif

namespace kerasish {
namespace KERASISH_ISA {

template <class T>
struct Format;

template <>
struct Format<float> {
  using Bits = uint32_t;
  static constexpr int mantissa = 23;
  static constexpr Bits bias = 127, root_half = 0x3f3504f3u, sign = 0x80000000u;
  static constexpr float least_normal = 0x1p-126f, raise = 0x1p25f, raised = 25;
  // Added to a number of moderate size, it leaves the nearest integer in the lowest bits.
  static constexpr float shifter = 0x1.8p23f;
  static constexpr float infinity = __builtin_inff();
  static constexpr float nan = __builtin_nanf("");
  static constexpr float log2_e = 0x1.715476p0f, log2_e_rest = 0x1.4ae0bep-26f;
  static constexpr float log10_e = 0x1.bcb7b2p-2f, log10_e_rest = -0x1.5b235ep-27f;
  // The leading part has so few bits that its product with an exponent is exact.
  static constexpr float log_2 = 0x1.62e4p-1f, log_2_rest = 0x1.7f7d1cp-20f;
  static constexpr float log10_2 = 0x1.344p-2f, log10_2_rest = 0x1.3509f8p-18f;
  static constexpr float half_pi = 0x1.921fb6p0f, half_pi_rest = -0x1.777a5cp-25f;
  static constexpr float exp_most = 89.0f, exp_least = -104.0f;
  static constexpr float exp2_most = 129.0f, exp2_least = -151.0f;
  static constexpr float expm1_least = -20.0f, cosh_most = 89.6f, tanh_most = 10.0f;
};

template <>
struct Format<double> {
  using Bits = uint64_t;
  static constexpr int mantissa = 52;
  static constexpr Bits bias = 1023, root_half = 0x3fe6a09e667f3bcdu, sign = 0x8000000000000000u;
  static constexpr double least_normal = 0x1p-1022, raise = 0x1p54, raised = 54;
  static constexpr double shifter = 0x1.8p52;
  static constexpr double infinity = __builtin_inf();
  static constexpr double nan = __builtin_nan("");
  static constexpr double log2_e = 0x1.71547652b82fep0, log2_e_rest = 0x1.777d0ffda0d24p-56;
  static constexpr double log10_e = 0x1.bcb7b1526e50ep-2, log10_e_rest = 0x1.95355baaafad3p-57;
  static constexpr double log_2 = 0x1.62e42fefap-1, log_2_rest = 0x1.cf79abc9e3b3ap-40;
  static constexpr double log10_2 = 0x1.34413509f6p-2, log10_2_rest = 0x1.9fef311f12b36p-42;
  static constexpr double half_pi = 0x1.921fb54442d18p0, half_pi_rest = 0x1.1a62633145c07p-54;
  static constexpr double exp_most = 710.0, exp_least = -746.0;
  static constexpr double exp2_most = 1025.0, exp2_least = -1076.0;
  static constexpr double expm1_least = -40.0, cosh_most = 710.6, tanh_most = 20.0;
};

KERASISH_INLINE float fma(float a, float b, float c) {
#ifdef KERASISH_FMA
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}
KERASISH_INLINE double fma(double a, double b, double c) {
#ifdef KERASISH_FMA
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}

KERASISH_INLINE float abs(float x) { return __builtin_fabsf(x); }
KERASISH_INLINE double abs(double x) { return __builtin_fabs(x); }
KERASISH_INLINE float copysign(float size, float sign) { return __builtin_copysignf(size, sign); }
KERASISH_INLINE double copysign(double size, double sign) {
  return __builtin_copysign(size, sign);
}

// A polynomial by Horner's rule, the constant coefficient first.
template <class T>
KERASISH_INLINE T polynomial(T, T constant) {
  return constant;
}
template <class T, class... Rest>
KERASISH_INLINE T polynomial(T x, T constant, Rest... rest) {
  return fma(polynomial(x, rest...), x, constant);
}

// 2^k from the bits of k + shifter + bias; no overflow or denormal.
template <class T>
KERASISH_INLINE T power_of_two(typename Format<T>::Bits shifted) {
  return from_bits(shifted << Format<T>::mantissa);
}

// x 2^k from the bits of k + shifter + 2 bias, in two factors: overflow and denormals come right.
template <class T>
KERASISH_INLINE T scale(T x, typename Format<T>::Bits shifted) {
  const auto half = shifted >> 1;
  return x * power_of_two<T>(half) * power_of_two<T>(shifted - half);
}

// A positive number as m 2^k, m between the roots of 1/2 and 2.
template <class T>
struct Parts {
  T m, k;
};
template <class T>
KERASISH_INLINE Parts<T> parts_of_normal(T x) {
  using F = Format<T>;
  constexpr typename F::Bits ones = (typename F::Bits(1) << F::mantissa) - 1;
  const auto bits = bits_of(x) + ((F::bias << F::mantissa) - F::root_half);
  const T k = from_bits(bits_of(F::shifter) + (bits >> F::mantissa)) - (F::shifter + T(F::bias));
  return {from_bits((bits & ones) + F::root_half), k};
}
template <class T>
KERASISH_INLINE Parts<T> parts_of(T x) {
  using F = Format<T>;
  const bool denormal = x < F::least_normal;
  const Parts<T> parts = parts_of_normal(denormal ? x * F::raise : x);
  return {parts.m, denormal ? parts.k - F::raised : parts.k};
}

}  // namespace KERASISH_ISA
}  // namespace kerasish
