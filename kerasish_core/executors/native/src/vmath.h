// Scalar functions of float, double and integers, without branches, so that loops over them are
// vectorised. They are what the ops' scalar expressions call.
//
// NaN, infinities, signed zeros and denormals come out as the C library's. Errors in units in the
// last place are at most, in float32 and float64 (tests/core/test_native_vmath.py):
//   exp        1.25  1.25
//   exp2       1.25     1
//   expm1      1.75  2.25
//   log           1     1
//   log1p      1.75  1.25
//   log2          2  1.75
//   log10         2  1.75
//   sqrt        0.5   0.5
//   rsqrt       1.5   1.5
//   cbrt       0.75  1.25
//   sin        1.75   1.5
//   cos        1.75   1.5
//   tan           3     2
//   arcsin      2.5  1.75
//   arccos     1.25  1.25
//   arctan      1.5   1.5
//   sinh          2     2
//   cosh        1.5   1.5
//   tanh       2.25     2
//   arcsinh       2   1.5
//   arccosh       2   1.5
//   arctanh       2     2
//   sigmoid    2.25  1.75
//   softplus      2   1.5
//   erf        1.25  1.25
//   erfc          4   3.5
//   erfinv     0.75     6
//   lgamma        4     4
//   power      0.75     1
//   arctan2    1.75   1.5
//   hypot      0.75  1.25
// lgamma, where x > 0, is the C library's, and so is power of float64 without fused multiply-add.
#pragma once

#include "vmath/arithmetic.h"
#include "vmath/exponential.h"
#include "vmath/logarithm.h"
#include "vmath/power.h"
#include "vmath/special.h"
#include "vmath/trigonometry.h"

namespace kerasish {
namespace KERASISH_ISA {

// The C library's, for operands that `is_hard` names.
namespace library {

KERASISH_INLINE float sin(float x) { return __builtin_sinf(x); }
KERASISH_INLINE double sin(double x) { return __builtin_sin(x); }
KERASISH_INLINE float cos(float x) { return __builtin_cosf(x); }
KERASISH_INLINE double cos(double x) { return __builtin_cos(x); }
KERASISH_INLINE float tan(float x) { return __builtin_tanf(x); }
KERASISH_INLINE double tan(double x) { return __builtin_tan(x); }
KERASISH_INLINE float mod(float a, float b) { return mod_from(__builtin_fmodf(a, b), b); }
KERASISH_INLINE double mod(double a, double b) { return mod_from(__builtin_fmod(a, b), b); }
KERASISH_INLINE float floor_divide(float a, float b) {
  return floor_divide_from(__builtin_fmodf(a, b), a, b);
}
KERASISH_INLINE double floor_divide(double a, double b) {
  return floor_divide_from(__builtin_fmod(a, b), a, b);
}

}  // namespace library
}  // namespace KERASISH_ISA
}  // namespace kerasish
