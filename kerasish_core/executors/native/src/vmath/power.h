// Powers and roots.
#pragma once

#include "vmath/logarithm.h"

namespace kerasish {
namespace KERASISH_ISA {

// log2 |a| and 2^y in float64, exact enough for float32: errors 2^-45 of the logarithm's rest, 2^-34.
KERASISH_INLINE double wide_log2(float a) {
  const Parts<float> parts = parts_of(abs(a));
  const double m = parts.m, s = (m - 1) / (m + 1), z = s * s;
  const double p = polynomial(z, 0.9617966940584056, 0.5770779529214658, 0.41220843581024,
                              0.3199331547908966, 0.2825655004173019);
  return static_cast<double>(parts.k) + fma(s * z, p, s * 2.8853900817779268);
}
KERASISH_INLINE float narrow_exp2(double y) {
  const double below = y > 1000 ? 1000 : y, within = below < -1000 ? -1000 : below;
  const double shifted = within + (Format<double>::shifter + 1023);
  const double r = within - (shifted - (Format<double>::shifter + 1023));
  const double p = polynomial(r, 1.0, 0.6931471807055948, 0.24022651068594478,
                              0.0555041036312214, 0.009618037788956495, 0.0013333936862965994,
                              0.00015466881150518854, 1.5195976518639396e-05);
  return static_cast<float>(p * power_of_two<double>(bits_of(shifted)));
}

// |a|^b, given for a that is neither 0 nor infinite, as C's pow has it: signs, and the cases that
// are 1 or NaN whatever the rest.
template <class T>
KERASISH_INLINE T signed_power(T a, T b, T found) {
  using F = Format<T>;
  const T half = T(0.5) * b;
  const bool whole = rint(b) == b, odd = whole & (rint(half) != half);
  const bool outside = (a < 0) & (abs(a) < F::infinity) & !whole;
  const T turned = odd ? copysign(found, a) : found;
  const bool one = (b == 0) | (a == 1) | ((a == -1) & (abs(b) == F::infinity));
  return one ? T(1) : outside ? F::nan : turned;
}

KERASISH_INLINE float pow(float a, float b) {
  const float size = abs(a);
  const double finite = size < Format<float>::infinity ? wide_log2(a) : static_cast<double>(size);
  const double log = size == 0 ? -Format<double>::infinity : finite;
  return signed_power(a, b, narrow_exp2(b * log));
}

#ifdef KERASISH_FMA
// The logarithm as a sum of two numbers, to 2^-66, since its error is multiplied by up to 1024.
KERASISH_INLINE double pow(double a, double b) {
  using F = Format<double>;
  const double size = abs(a);
  const Parts<double> parts = parts_of(size);
  const double f = parts.m - 1, d = parts.m + 1, inverse = 1 / d;
  // s = f / d; log m = 2 (s + s^3 / 3 + s^5 p(s^2))
  const double s = f * inverse;
  const double s_rest = (fma(-s, d, f) - s * (parts.m - (d - 1))) * inverse;
  const double z = s * s, z_rest = fma(s, s, -z) + 2 * s * s_rest;
  const double c = s * z, c_rest = fma(s, z, -c) + (s * z_rest + s_rest * z);
  const double third = c * 0x1.5555555555555p-2;
  const double third_rest = fma(c, 0x1.5555555555555p-2, -third) + c * 0x1.5555555555555p-56 +
                            c_rest * 0x1.5555555555555p-2;
  const double p =
      c * z *
      polynomial(z, 0.1999999999999999, 0.14285714285721934, 0.11111111108889311,
                 0.0909090942285864, 0.07692279146827521, 0.06668135086914614,
                 0.05837829003977085, 0.05991412373860567);
  const double sum = s + third, sum_rest = (s - sum) + third + (s_rest + third_rest + p);
  const double near = sum * 0x1.71547652b82fep1;
  const double near_rest = fma(sum, 0x1.71547652b82fep1, -near) +
                           (sum * 0x1.777d0ffda0d24p-55 + sum_rest * 0x1.71547652b82fep1);
  const double log = parts.k + near, log_rest = (parts.k - log) + near + near_rest;
  const double end = size == 0 ? -F::infinity : size < F::infinity ? log : size;
  const double y = b * end, above = y > 1100 ? 1100 : y, within = above < -1100 ? -1100 : above;
  const double rest = fma(b, end, -y) + b * log_rest;
  constexpr double shifter = F::shifter + 2 * F::bias;
  const double shifted = within + shifter, exact = within - (shifted - shifter);
  const double r = exact + (abs(y) < 1100 ? rest : 0);
  return signed_power(a, b, scale(exp2_near(r), bits_of(shifted)));
}
#else
KERASISH_INLINE double pow(double a, double b) { return __builtin_pow(a, b); }
#endif

// A constant that seems to depend on x. The compiler would else branch on what pow asks of a fixed
// exponent, in a loop that it then does not vectorise. n is no more than 2^48.
template <class T>
KERASISH_INLINE T beside(T x, T constant, int64_t n) {
  using Bits = typename Format<T>::Bits;
  return from_bits(bits_of(constant) | (bits_of(x) & static_cast<Bits>(n >> 48)));
}

// Of m 2^rest, rest in {-1, 0, 1}, by a polynomial with relative error 2^-9, Halley's step, which
// cubes it, and Newton's, which squares it.
template <class T>
KERASISH_INLINE T cbrt(T x) {
  using F = Format<T>;
  const T size = abs(x);
  const Parts<T> parts = parts_of(size);
  const T third = rint(parts.k * T(1.0 / 3)), rest = parts.k - 3 * third;
  const double m = static_cast<double>(parts.m * (rest > 0 ? T(2) : rest < 0 ? T(0.5) : T(1)));
  double t = polynomial(m, 0.44353766328087, 0.8984034141375742, -0.4738047020212797,
                        0.15323706524559327, -0.019528957507213188);
  const double cube = t * t * t;
  t = t * (cube + 2 * m) / (2 * cube + m);
  t -= (t * t * t - m) / (3 * t * t);
  const T scaled = static_cast<T>(t) * power_of_two<T>(bits_of(F::shifter + T(F::bias) + third));
  return (size > 0) & (size < F::infinity) ? copysign(scaled, x) : x;
}

KERASISH_INLINE float hypot(float a, float b) {
  const double x = a, y = b, found = sqrt(x * x + y * y);
  const bool infinite = (abs(a) == Format<float>::infinity) | (abs(b) == Format<float>::infinity);
  return infinite ? Format<float>::infinity : static_cast<float>(found);
}
KERASISH_INLINE double hypot(double a, double b) {
  using F = Format<double>;
  const double x = abs(a), y = abs(b), large = x > y ? x : y;
  // A power of two near the larger, so that squares neither overflow nor vanish.
  const uint64_t exponent = bits_of(large) >> 52;
  const uint64_t within = exponent < 2 ? 2 : exponent > 2044 ? 2044 : exponent;
  const double up = from_bits(within << 52), down = from_bits((2046 - within) << 52);
  const double p = x * down, q = y * down;
  const bool infinite = (x == F::infinity) | (y == F::infinity);
  return infinite ? F::infinity : sqrt(fma(p, p, q * q)) * up;
}

}  // namespace KERASISH_ISA
}  // namespace kerasish
