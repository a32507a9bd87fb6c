// Logarithms and what is made of them.
//
// x = m 2^k with m = 1 + f between the roots of 1/2 and 2; log m is f and a rest, f - f^2 / 2 +
// f^3 P(f) in float32, in float64 by 2 atanh(f / (2 + f)). Polynomials as in exponential.h.
#pragma once

#include "vmath/exponential.h"

namespace kerasish {
namespace KERASISH_ISA {

// log(1 + f) - f; relative error of the logarithm 2^-27.2 and 2^-59.5
KERASISH_INLINE float log_rest(float f) {
  const float p = polynomial(f, 3.333333e-01f, -2.5000829e-01f, 2.0001248e-01f, -1.6622943e-01f,
                             1.4201741e-01f, -1.3166049e-01f, 1.275969e-01f, -7.608659e-02f);
  return f * f * fma(f, p, -0.5f);
}
KERASISH_INLINE double log_rest(double f) {
  const double s = f / (2 + f), z = s * s, half = 0.5 * f * f;
  const double p = z * polynomial(z, 0.6666666666666735, 0.3999999999940934, 0.28571428743642446,
                                  0.2222219843902314, 0.1818357155386114, 0.15313859333016594,
                                  0.1479792499005903);
  return fma(s, half + p, -half);
}

// The limits: -inf at 0, NaN below, inf and NaN themselves.
template <class T>
KERASISH_INLINE T at_ends(T x, T found) {
  using F = Format<T>;
  const T end = x == 0 ? -F::infinity : x < 0 ? F::nan : x;
  return (x > 0) & (x < F::infinity) ? found : end;
}

template <class T>
KERASISH_INLINE T log_of(Parts<T> parts) {
  using F = Format<T>;
  const T f = parts.m - 1;
  return fma(parts.k, F::log_2, f + fma(parts.k, F::log_2_rest, log_rest(f)));
}
template <class T>
KERASISH_INLINE T log(T x) {
  return at_ends(x, log_of(parts_of(x)));
}

template <class T>
KERASISH_INLINE T log2(T x) {
  using F = Format<T>;
  const Parts<T> parts = parts_of(x);
  const T f = parts.m - 1;
  const T rest = fma(f, F::log2_e_rest, log_rest(f) * F::log2_e);
  return at_ends(x, parts.k + fma(f, F::log2_e, rest));
}

template <class T>
KERASISH_INLINE T log10(T x) {
  using F = Format<T>;
  const Parts<T> parts = parts_of(x);
  const T f = parts.m - 1;
  const T rest = fma(f, F::log10_e_rest, log_rest(f) * F::log10_e);
  const T near = fma(f, F::log10_e, fma(parts.k, F::log10_2_rest, rest));
  return at_ends(x, fma(parts.k, F::log10_2, near));
}

// The parts are those of 1 + x, but f is found from x itself: x 2^-k + (2^-k - 1), if x is moderate.
template <class T>
KERASISH_INLINE T log1p_of_moderate(T x) {
  using F = Format<T>;
  const T k = parts_of_normal(1 + x).k;
  const T inverse = power_of_two<T>(bits_of(F::shifter + T(F::bias) - k));
  const T f = fma(x, inverse, inverse - 1);
  return fma(k, F::log_2, f + fma(k, F::log_2_rest, log_rest(f)));
}
template <class T>
KERASISH_INLINE T log1p(T x) {
  using F = Format<T>;
  const T u = 1 + x, large = T(typename F::Bits(1) << F::mantissa) * 8;
  const Parts<T> parts = parts_of_normal(u);
  const T inverse = power_of_two<T>(bits_of(F::shifter + T(F::bias) - parts.k));
  const T f = u > large ? parts.m - 1 : fma(x, inverse, inverse - 1);
  const T rest = fma(parts.k, F::log_2_rest, log_rest(f));
  return copysign(at_ends(u, fma(parts.k, F::log_2, f + rest)), x);
}

template <class T>
KERASISH_INLINE T softplus(T x) {
  return maximum(x, 0) + log1p_of_moderate(exp(-abs(x)));
}
template <class T>
KERASISH_INLINE T logaddexp(T a, T b) {
  const T larger = maximum(a, b);  // equal infinities have no difference
  return larger + log1p_of_moderate(exp(a == b ? T(0) : -abs(a - b)));
}
template <class T>
KERASISH_INLINE T logaddexp2(T a, T b) {
  const T larger = maximum(a, b);
  return larger + Format<T>::log2_e * log1p_of_moderate(exp2(a == b ? T(0) : -abs(a - b)));
}

// log(a + root(a^2 + 1)), from log1p; a large a by log 2a.
template <class T>
KERASISH_INLINE T asinh(T x) {
  using F = Format<T>;
  const T size = abs(x), large = T(typename F::Bits(1) << F::mantissa);
  const T within = size > large ? large : size, square = within * within;
  const T near = within + square / (1 + sqrt(square + 1));
  const T found = log1p(size > large ? size : near);
  return copysign(size > large ? found + T(0.69314718055994530942) : found, x);
}
template <class T>
KERASISH_INLINE T acosh(T x) {
  using F = Format<T>;
  const T t = x - 1, large = T(typename F::Bits(1) << F::mantissa);
  const T within = x > large ? large : t;
  const T near = within + sqrt(fma(within, within, within + within));
  const T found = log1p(x > large ? x : near);
  return x > large ? found + T(0.69314718055994530942) : x < 1 ? F::nan : found;
}
template <class T>
KERASISH_INLINE T atanh(T x) {
  const T size = abs(x);
  return copysign(T(0.5) * log1p(2 * size / (1 - size)), x);
}

}  // namespace KERASISH_ISA
}  // namespace kerasish
