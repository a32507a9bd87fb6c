// Sines, tangents and their inverses. Polynomials as in exponential.h.
//
// An angle is k pi / 2 + r, |r| <= pi / 4, with pi / 2 in three parts. Above a limit the parts do not
// suffice: `is_hard` tells, and the tile functions then take the C library's.
#pragma once

#include "vmath/arithmetic.h"

namespace kerasish {
namespace KERASISH_ISA {

// s of sin r = r + r^3 s(r^2), c of cos r = 1 - r^2 / 2 + r^4 c(r^2), t of tan r = r + r^3 t(r^2)
KERASISH_INLINE float sin_rest(float z) {  // 2^-27.8
  return polynomial(z, -1.6666654e-01f, 8.332106e-03f, -1.9507966e-04f);
}
KERASISH_INLINE double sin_rest(double z) {  // 2^-57.7
  return polynomial(z, -0.16666666666666627, 0.008333333333321069, -0.00019841269828698517,
                    2.7557313298784805e-06, -2.505069551652934e-08, 1.5893115813133508e-10);
}
KERASISH_INLINE float cos_rest(float z) {  // 2^-32.8
  return polynomial(z, 4.1666646e-02f, -1.3887298e-03f, 2.4430085e-05f);
}
KERASISH_INLINE double cos_rest(double z) {  // 2^-63.2
  return polynomial(z, 0.04166666666666658, -0.0013888888888871065, 2.4801587287541652e-05,
                    -2.755731377400741e-07, 2.0875642064167468e-09, -1.1355317449709779e-11);
}
KERASISH_INLINE float tan_rest(float z) {  // 2^-29.3
  return polynomial(z, 3.3333352e-01f, 1.3332571e-01f, 5.4070983e-02f, 2.1222567e-02f,
                    1.0995693e-02f, -1.1897798e-04f, 4.48167e-03f);
}
KERASISH_INLINE double tan_rest(double z) {  // 2^-55.6
  return polynomial(z, 0.33333333333332565, 0.13333333333445263, 0.05396825391175646,
                    0.021869489968639414, 0.008863214096569805, 0.00359233466485858,
                    0.0014544823535630736, 0.0005962177004331281, 0.00021900101942065267,
                    0.00014344260802991233, -3.607506378089067e-05, 9.830013211226571e-05,
                    -4.962180672888884e-05, 2.199688489429789e-05);
}

template <class T>
struct Angle {
  T r;
  typename Format<T>::Bits quadrant;  // its lowest two bits
};

KERASISH_INLINE Angle<double> angle_of(double x) {  // x >= 0
  constexpr double two_over_pi = 0x1.45f306dc9c883p-1, shifter = 0x1.8p52;
  const double shifted = fma(x, two_over_pi, shifter), k = shifted - shifter;
#ifdef KERASISH_FMA
  // The first difference is exact: a multiple of the last place of pi / 2, below 1.
  const double first = fma(-k, 0x1.921fb54442d18p0, x);
  const double r = fma(-k, -0x1.f1976b7ed8fbcp-110, fma(-k, 0x1.1a62633145c07p-54, first));
#else
  // Parts of 33 bits: their products with k are exact.
  const double first = x - k * 0x1.921fb544p0, product = k * 0x1.0b4611a6p-34;
  const double second = first - product, lost = (first - second) - product;
  const double r = second - (k * 0x1.3198a2e037073p-69 - lost);
#endif
  return {r, bits_of(shifted)};
}
KERASISH_INLINE Angle<float> angle_of(float x) {
#ifdef KERASISH_FMA
  constexpr float two_over_pi = 0x1.45f306p-1f, shifter = 0x1.8p23f;
  const float shifted = fma(x, two_over_pi, shifter), k = shifted - shifter;
  const float first = fma(-k, 0x1.921fb6p0f, x);
  return {fma(-k, -0x1.ee59dap-50f, fma(-k, -0x1.777a5cp-25f, first)), bits_of(shifted)};
#else
  const Angle<double> wide = angle_of(static_cast<double>(x));
  return {static_cast<float>(wide.r), static_cast<uint32_t>(wide.quadrant)};
#endif
}

KERASISH_INLINE bool is_hard(float x) { return abs(x) > 0x1p17f; }
KERASISH_INLINE bool is_hard(double x) { return abs(x) > 0x1p20; }

// The sine of r + k pi / 2.
template <class T>
KERASISH_INLINE T sin_of(T r, typename Format<T>::Bits k) {
  const T z = r * r;
  const T sine = fma(r * z, sin_rest(z), r);
  const T cosine = fma(z * z, cos_rest(z), fma(z, T(-0.5), T(1)));
  const T found = k & 1 ? cosine : sine;
  return from_bits(bits_of(found) ^ ((k & 2) << (8 * sizeof(T) - 2)));
}

template <class T>
KERASISH_INLINE T sin(T x) {
  const Angle<T> angle = angle_of(abs(x));
  const T found = sin_of(angle.r, angle.quadrant);
  return from_bits(bits_of(found) ^ (bits_of(x) & Format<T>::sign));
}
template <class T>
KERASISH_INLINE T cos(T x) {
  const Angle<T> angle = angle_of(abs(x));
  return sin_of(angle.r, angle.quadrant + 1);
}
template <class T>
KERASISH_INLINE T tan(T x) {
  const Angle<T> angle = angle_of(abs(x));
  const T r = angle.r, z = r * r;
  const T tangent = fma(r * z, tan_rest(z), r);
  const bool odd = angle.quadrant & 1;
  const T found = (odd ? T(-1) : tangent) / (odd ? tangent : T(1));
  return from_bits(bits_of(found) ^ (bits_of(x) & Format<T>::sign));
}

// -- inverses

// a of asin t = t + t^3 a(t^2), t in [0, 1/2], and of atan t = t + t^3 a(t^2), t in [0, 1]
KERASISH_INLINE float asin_rest(float z) {  // 2^-27.6
  return polynomial(z, 1.6666752e-01f, 7.4953064e-02f, 4.5469772e-02f, 2.418076e-02f,
                    4.216647e-02f);
}
KERASISH_INLINE double asin_rest(double z) {  // 2^-56.0
  return polynomial(z, 0.1666666666666676, 0.07499999999970812, 0.04464285717464348,
                    0.030381942704855194, 0.022372215100132514, 0.017351609626945798,
                    0.013980851241392393, 0.011398663487022476, 0.010781531620933281,
                    0.00370234417859542, 0.021714835454546333, -0.021005319943271216,
                    0.0326296421979936);
}

// t and t^3 a(t^2) for t = |x|, or beyond 1/2 for t = root((1 - |x|) / 2), of which asin |x| is
// pi / 2 - 2 asin t.
template <class T>
struct Arc {
  T t, rest;
};
template <class T>
KERASISH_INLINE Arc<T> arc_of(T size) {
  const bool far = size > T(0.5);
  const T z = far ? T(0.5) * (1 - size) : size * size;
  const T t = far ? sqrt(z) : size;
  return {t, t * z * asin_rest(z)};
}
template <class T>
KERASISH_INLINE T asin(T x) {
  using F = Format<T>;
  const T size = abs(x);
  const Arc<T> arc = arc_of(size);
  const T near = arc.t + arc.rest;
  const T far = F::half_pi - (2 * near - F::half_pi_rest);
  return copysign(size > T(0.5) ? far : near, x);
}
template <class T>
KERASISH_INLINE T acos(T x) {
  using F = Format<T>;
  const T size = abs(x);
  const Arc<T> arc = arc_of(size);
  const T near = arc.t + arc.rest;
  const T far = x < 0 ? 2 * F::half_pi - (2 * near - 2 * F::half_pi_rest) : 2 * near;
  const T middle = F::half_pi - (copysign(near, x) - F::half_pi_rest);
  return size > T(0.5) ? far : middle;
}

KERASISH_INLINE float atan_rest(float z) {  // 2^-28.4
  return polynomial(z, -3.33333e-01f, 1.999853e-01f, -1.4264041e-01f, 1.0951343e-01f,
                    -8.402008e-02f, 5.795328e-02f, -3.1194108e-02f, 1.0933775e-02f,
                    -1.8000378e-03f);
}
KERASISH_INLINE double atan_rest(double z) {  // 2^-56.6
  return polynomial(z, -0.33333333333333287, 0.19999999999990623, -0.14285714285045134,
                    0.11111111086660459, -0.09090908550378127, 0.07692299768215888,
                    -0.06666584801703757, 0.05881730097983552, -0.052595511546335495,
                    0.04745603297563069, -0.042891914626427344, 0.038295633874168705,
                    -0.03298225775642187, 0.02649579671028709, -0.019072238483292578,
                    0.011778682514789909, -0.005957491082990812, 0.0023377937599171773,
                    -0.000661342026181241, 0.00011921634879584032, -1.0237088393930471e-05);
}

// The angle in [0, pi / 2] of the point (x, y), both at least 0.
template <class T>
KERASISH_INLINE T angle_to(T y, T x) {
  using F = Format<T>;
  const bool steep = y > x;
  const T less = steep ? x : y, more = steep ? y : x;
  const T quotient = less == more ? T(1) : less / more;  // of infinities too
  const T t = more == 0 ? T(0) : quotient, z = t * t;
  const T near = fma(t * z, atan_rest(z), t);
  return steep ? F::half_pi - (near - F::half_pi_rest) : near;
}
template <class T>
KERASISH_INLINE T atan(T x) {
  return copysign(angle_to(abs(x), T(1)), x);
}
template <class T>
KERASISH_INLINE T atan2(T y, T x) {
  using F = Format<T>;
  const T angle = angle_to(abs(y), abs(x));
  const T behind = 2 * F::half_pi - (angle - 2 * F::half_pi_rest);
  const T found = copysign(bits_of(x) & F::sign ? behind : angle, y);
  return (x != x) | (y != y) ? x + y : found;
}

}  // namespace KERASISH_ISA
}  // namespace kerasish
