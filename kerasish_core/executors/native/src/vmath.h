// Scalar functions of float, double and integers, without branches, so that loops over them are
// vectorised. They are what the ops' scalar expressions call.
//
// NaN, infinities, signed zeros and denormals come out as the C library's. Errors in units in the
// last place, measured against 160-bit arithmetic (tests/core/test_native_vmath.py), are at most:
//   TABLE
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
