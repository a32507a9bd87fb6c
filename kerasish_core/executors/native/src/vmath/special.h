// The error function and the gamma function. Polynomials as in exponential.h.
#pragma once

#include "vmath/power.h"

namespace kerasish {
namespace KERASISH_ISA {

// e of erf x = x + x e(x^2), |x| <= 1; relative error 2^-29.4 and 2^-56.3
KERASISH_INLINE float erf_rest(float z) {
  return polynomial(z, 1.2837917e-01f, -3.7612626e-01f, 1.1283579e-01f, -2.6853347e-02f,
                    5.187162e-03f, -7.997853e-04f, 7.806903e-05f);
}
KERASISH_INLINE double erf_rest(double z) {
  return polynomial(z, 0.1283791670955126, -0.3761263890318375, 0.11283791670954862,
                    -0.026866170645073597, 0.0052239776247863965, -0.0008548326979012302,
                    0.00012055331045532807, -1.4925593692583305e-05, 1.6460975524502791e-06,
                    -1.6350051614374657e-07, 1.4658044531360575e-08, -1.1366260783776198e-09,
                    5.946207428860963e-11);
}
// log erfc x, 1 <= x; error of erfc 2^-29.8 and 2^-57.3
KERASISH_INLINE float log_erfc(float x) {
  const float within = x > 4.0f ? 4.0f : x;
  return polynomial(within, -3.327813e-04f, -1.127122e+00f, -6.380945e-01f, -1.0314699e-01f,
                    2.1855742e-02f, -2.9517054e-03f, 1.8675653e-04f);
}
KERASISH_INLINE double log_erfc(double x) {
  const double within = x > 6.0 ? 6.0 : x;
  return polynomial(within, -1.6932421342128641e-07, -1.1283774290536024, -0.6366280380748159,
                    -0.10274851348806714, 0.019080603492736894, 0.0002769883715631153,
                    -0.0017651797915207378, 0.0006379175828313097, -4.262869320842637e-05,
                    -7.154485359133972e-05, 4.55428187880865e-05, -1.6686718288708287e-05,
                    4.3737569934377895e-06, -8.604288706112879e-07, 1.2729126016582823e-07,
                    -1.3814716272161745e-08, 1.0411515022324444e-09, -4.874602153682093e-11,
                    1.0682256639225567e-12);
}

template <class T>
KERASISH_INLINE T erf(T x) {
  const T size = abs(x);
  const T near = fma(size, erf_rest(size * size), size), far = 1 - exp(log_erfc(size));
  return copysign(size > 1 ? far : near, x);
}

// (1 + 2x) e^(x^2) erfc x by q = (x - c) / (x + c)
KERASISH_INLINE float scaled_erfc(float x) {  // 2^-24.9
  const float q = (x - 2) / (x + 2);
  return polynomial(q, 1.2769784e+00f, -9.2764236e-02f, -1.6603006e-01f, 1.6405919e-01f,
                    -5.4216616e-02f, -8.078902e-03f, 8.665514e-03f, 1.3534391e-03f,
                    -1.2581685e-03f, -4.3048692e-04f);
}
KERASISH_INLINE double scaled_erfc(double x) {  // 2^-54.3
  const double q = (x - 4) / (x + 4);
  return polynomial(q, 1.2329951186255526, -0.13962111684056253, 0.015379652102619622,
                    0.06809705425469532, -0.10103906603629773, 0.09373283499825626,
                    -0.06633036581236013, 0.03716751553897767, -0.01619773405620713,
                    0.0050319699648813205, -0.0007577732992505848, -0.00019925662550123675,
                    0.00015062172352117012, -2.4399442332208684e-05, -1.1222183182298396e-05,
                    5.7101969861288065e-06, 2.941621827550715e-07, -8.259667016552398e-07,
                    7.410483696028329e-08, 1.1033299135258362e-07, -1.746929157308399e-08,
                    -1.4070495809166823e-08, 1.6771585477255618e-09, 1.1980875067182685e-09);
}

// What rounding took from x * x.
template <class T>
KERASISH_INLINE T square_error(T x, T square) {
#ifdef KERASISH_FMA
  return fma(x, x, -square);
#else
  constexpr int half = Format<T>::mantissa / 2 + 1;
  const T head = from_bits(bits_of(x) >> half << half), rest = x - head;
  return ((head * head - square) + 2 * head * rest) + rest * rest;
#endif
}

template <class T>
KERASISH_INLINE T erfc(T x) {
  const T size = abs(x), most = sizeof(T) == 4 ? T(12) : T(30);
  const T within = size > most ? most : size, square = within * within;
  const T power = exp(-square);
  const T tail = fma(-power, square_error(within, square), power);
  const T far = tail * (scaled_erfc(within) / (1 + 2 * within));
  const T near = fma(size, erf_rest(square), size);
  return size < T(0.5) ? 1 - copysign(near, x) : x < 0 ? 2 - far : far;
}

// Wichura's rational functions (AS 241, Applied Statistics 37, 1988) of the normal quantile.
KERASISH_INLINE double erfinv(double x) {
  const double half = 0.5 * x, inner = 0.180625 - half * half;
  const double middle =
      half *
      polynomial(inner, 3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
                 1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                 3.3430575583588128105e4, 2.5090809287301226727e3) /
      polynomial(inner, 1.0, 4.2313330701600911252e1, 6.8718700749205790830e2,
                 5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4,
                 2.8729085735721942674e4, 5.2264952788528545610e3);
  const double tail = 0.5 * (1 - abs(x));
  const double root = sqrt(-log_of(parts_of_normal(tail)));  // used if the tail is above 0
  const double near = (root > 5 ? 5.0 : root) - 1.6, far = root - 5;
  const double close =
      polynomial(near, 1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
                 3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
                 2.27238449892691845833e-2, 7.74545014278341407640e-4) /
      polynomial(near, 1.0, 2.05319162663775882187e0, 1.67638483018380384940e0,
                 6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
                 5.47593808499534494600e-4, 1.05075007164441684324e-9);
  const double distant =
      polynomial(far, 6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
                 2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                 2.71155556874348757815e-5, 2.01033439929228813265e-7) /
      polynomial(far, 1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1,
                 1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
                 1.42151175831644588870e-7, 2.04426310338993978564e-15);
  const double outer = root > 5 ? distant : close;
  const double end = tail == 0 ? Format<double>::infinity : Format<double>::nan;
  const double limited = copysign(tail > 0 ? outer : end, x);
  return (inner >= 0 ? middle : limited) * 0.70710678118654752440;
}
KERASISH_INLINE float erfinv(float x) { return static_cast<float>(erfinv(static_cast<double>(x))); }

KERASISH_INLINE float lgamma(float x) { return __builtin_lgammaf(x); }
KERASISH_INLINE double lgamma(double x) { return __builtin_lgamma(x); }

}  // namespace KERASISH_ISA
}  // namespace kerasish
