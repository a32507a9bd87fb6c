// Exponentials and what is made of them.
//
// x = k log 2 + r, |r| <= log 2 / 2; a polynomial in r, of least greatest relative error (Remez's
// exchange in 180 bits, each coefficient rounded and the later ones fitted again); then 2^k.
#pragma once

#include "vmath/arithmetic.h"

namespace kerasish {
namespace KERASISH_ISA {

// q of e^r = 1 + r + r^2 q(r); relative error 2^-27.9 and 2^-56.5
KERASISH_INLINE float exp_rest(float r) {
  return polynomial(r, 4.9999994e-01f, 1.6666517e-01f, 4.166813e-02f, 8.369204e-03f,
                    1.3830255e-03f);
}
KERASISH_INLINE double exp_rest(double r) {
  return polynomial(r, 0.5000000000000011, 0.16666666666666435, 0.041666666666526096,
                    0.008333333333473554, 0.0013888888944160653, 0.00019841269517604574,
                    2.4801492963750992e-05, 2.7557600382582917e-06, 2.7630225782911607e-07,
                    2.499273625065292e-08);
}
// The same with its relative error as of e^r - 1: 2^-26.1 and 2^-55.4
KERASISH_INLINE float expm1_rest(float r) {
  return polynomial(r, 4.9999997e-01f, 1.6666539e-01f, 4.1667737e-02f, 8.367136e-03f,
                    1.3838095e-03f);
}
KERASISH_INLINE double expm1_rest(double r) {
  return polynomial(r, 0.5, 0.16666666666666677, 0.0416666666666667, 0.008333333333321723,
                    0.001388888888888087, 0.00019841269885511562, 2.480158730784426e-05,
                    2.75572287560767e-06, 2.755722427225481e-07, 2.512312190222986e-08,
                    2.0972517225303262e-09);
}
// 2^r, |r| <= 1/2; relative error 2^-26.2 and 2^-57.6
KERASISH_INLINE float exp2_near(float r) {
  return polynomial(r, 1.0f, 6.931472e-01f, 2.4022594e-01f, 5.5503663e-02f, 9.625441e-03f,
                    1.3387904e-03f, 1.3334188e-04f);
}
KERASISH_INLINE double exp2_near(double r) {
  return polynomial(r, 1.0, 0.6931471805599453, 0.24022650695909997, 0.05550410866482376,
                    0.00961812910767081, 0.0013333558145900309, 0.00015403530314793626,
                    1.5252734317684625e-05, 1.321555039550828e-06, 1.0177863683836105e-07,
                    7.031569052253797e-09, 4.4841846526596144e-10, 5.7529446834461434e-11);
}

// x = k log 2 + r, with the bits of k + shifter.
template <class T>
struct Reduced {
  T r, shifted;
};
template <class T>
KERASISH_INLINE Reduced<T> reduced(T x, T shifter) {
  using F = Format<T>;
  const T shifted = fma(x, F::log2_e, shifter), k = shifted - shifter;
  return {fma(k, -F::log_2_rest, fma(k, -F::log_2, x)), shifted};
}

template <class T>
KERASISH_INLINE T exp(T x) {
  using F = Format<T>;
  const T below = x > F::exp_most ? F::exp_most : x;  // NaN stays
  const T within = below < F::exp_least ? F::exp_least : below;
  const Reduced<T> found = reduced(within, F::shifter + T(2 * F::bias));
  const T r = found.r;
  return scale(fma(r, fma(r, exp_rest(r), T(1)), T(1)), bits_of(found.shifted));
}

template <class T>
KERASISH_INLINE T exp2(T x) {
  using F = Format<T>;
  constexpr T shifter = F::shifter + T(2 * F::bias);
  const T below = x > F::exp2_most ? F::exp2_most : x;
  const T within = below < F::exp2_least ? F::exp2_least : below;
  const T shifted = within + shifter;
  return scale(exp2_near(within - (shifted - shifter)), bits_of(shifted));
}

// e^x - 1 = 2^k ((e^r - 1) + (1 - 2^-k)), divided by 2^down.
template <class T>
KERASISH_INLINE T expm1_over(T x, int down) {
  using F = Format<T>;
  const Reduced<T> found = reduced(x, F::shifter + T(F::bias) - T(down));
  const T r = found.r, power = power_of_two<T>(bits_of(found.shifted));
  const T inverse = power_of_two<T>(F::bias - down);
  return fma(power, fma(r * r, expm1_rest(r), r), power - inverse);
}

template <class T>
KERASISH_INLINE T expm1(T x) {
  using F = Format<T>;
  const T below = x > F::exp_most ? F::exp_most : x;
  const T half = expm1_over(below < F::expm1_least ? F::expm1_least : below, 1);
  return copysign(half + half, x);  // of -0 too
}

// (e^2a - 1) / (e^2a + 1)
template <class T>
KERASISH_INLINE T tanh(T x) {
  const T size = abs(x), most = Format<T>::tanh_most;
  const T within = size > most ? most : size;
  const T t = expm1_over(within + within, 0);
  return copysign(t / (t + 2), x);
}

// With t = e^a - 1: (t + t / (t + 1)) / 2. Quarters of t do not overflow.
template <class T>
KERASISH_INLINE T sinh(T x) {
  const T size = abs(x), most = Format<T>::cosh_most;
  const T quarter = expm1_over(size > most ? most : size, 2);
  const T found = quarter + quarter / (4 * quarter + 1);
  return copysign(found + found, x);
}
template <class T>
KERASISH_INLINE T cosh(T x) {
  using F = Format<T>;
  const T size = abs(x), most = F::cosh_most;
  const Reduced<T> found = reduced(size > most ? most : size, F::shifter + T(F::bias) - T(2));
  const T r = found.r;
  const T quarter =
      fma(r, fma(r, exp_rest(r), T(1)), T(1)) * power_of_two<T>(bits_of(found.shifted));
  const T half = quarter + T(0.0625) / quarter;
  return half + half;
}

template <class T>
KERASISH_INLINE T sigmoid(T x) {
  const T power = exp(-abs(x));
  return (x < 0 ? power : T(1)) / (1 + power);
}

}  // namespace KERASISH_ISA
}  // namespace kerasish
