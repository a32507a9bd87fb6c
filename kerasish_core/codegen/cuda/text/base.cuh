// Types and functions of one element, the first part of every translation unit.
//
// NVRTC compiles it without a header. The host compiles it too, over `tests/cuda_host.h`.
#define DEVICE static __device__ __forceinline__

typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
#ifdef KERASISH_HOST
typedef long int64_t;
typedef unsigned long uint64_t;
#elif defined(_WIN32)
typedef long long int64_t;
typedef unsigned long long uint64_t;
#else
typedef long int64_t;
typedef unsigned long uint64_t;
#endif

// Half types are storage: two bytes in memory, a float in registers.
struct float16 {
  uint16_t bits;
};
struct bfloat16 {
  uint16_t bits;
};
// A byte that is 0 or 1, in memory and in registers.
struct truth {
  uint8_t bits;
};

// V elements that are read and written at once.
template <class T, int V>
struct alignas(sizeof(T) * V) Pack {
  T v[V];
};

namespace k {

DEVICE uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
DEVICE uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
DEVICE float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
DEVICE double from_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// -- from memory to registers and back

DEVICE float from_float16(uint16_t half) {
#ifdef __CUDA_ARCH__
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(half));
  return x;
#else
  const uint32_t sign = uint32_t(half & 0x8000u) << 16, size = half & 0x7fffu;
  const float scaled = from_bits(size << 13) * 0x1p112f;
  return from_bits(bits_of(scaled) | (size >= 0x7c00u ? 0x7f800000u : 0u) | sign);
#endif
}
DEVICE uint16_t to_float16(float x) {
#ifdef __CUDA_ARCH__
  uint16_t half;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(x));
  return half;
#else
  const uint32_t bits = bits_of(x), size = bits & 0x7fffffffu;
  const uint32_t normal = (size - 0x38000000u + 0xfffu + ((size >> 13) & 1u)) >> 13;
  const uint32_t denormal = bits_of(from_bits(size) + 0.5f) - 0x3f000000u;
  uint32_t half = size < 0x38800000u ? denormal : normal;
  half = size >= 0x477ff000u ? 0x7c00u : half;
  half = size > 0x7f800000u ? 0x7e00u : half;
  return uint16_t(half | (bits >> 16 & 0x8000u));
#endif
}
DEVICE uint16_t to_float16(double x) {
#ifdef __CUDA_ARCH__
  uint16_t half;
  asm("cvt.rn.f16.f64 %0, %1;" : "=h"(half) : "d"(x));
  return half;
#else
  // To odd first: what is lost sets the last bit, so that the second rounding is the only one.
  const float near = float(x);
  const double size = x < 0 ? -x : x, found = near < 0 ? -double(near) : double(near);
  const uint32_t odd = (bits_of(near) - (found > size ? 1u : 0u)) | 1u;
  return to_float16(size < found || found < size ? from_bits(odd) : near);
#endif
}
DEVICE float from_bfloat16(uint16_t half) { return from_bits(uint32_t(half) << 16); }
DEVICE uint16_t to_bfloat16(float x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  uint32_t two;  // of one by itself takes several times as long
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(two) : "f"(0.0f), "f"(x));
  return uint16_t(two);
#else
  const uint32_t bits = bits_of(x);
  const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  const uint32_t nan = (bits >> 16 & 0x8000u) | 0x7fc0u;
  return uint16_t((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
#endif
}
DEVICE uint16_t to_bfloat16(double x) { return to_bfloat16(float(x)); }

// What a type is in registers.
template <class T>
struct Register {
  using type = T;
};
template <>
struct Register<float16> {
  using type = float;
};
template <>
struct Register<bfloat16> {
  using type = float;
};
template <>
struct Register<truth> {
  using type = uint8_t;
};
template <class T>
using In = typename Register<T>::type;

template <class T>
DEVICE T get(T x) {
  return x;
}
DEVICE float get(float16 x) { return from_float16(x.bits); }
DEVICE float get(bfloat16 x) { return from_bfloat16(x.bits); }
DEVICE uint8_t get(truth x) { return x.bits; }

// Integers become half types by way of float.
template <class F>
DEVICE float real(F x) {
  return float(x);
}
DEVICE double real(double x) { return x; }

template <class T>
struct Put {
  template <class F>
  DEVICE T from(F x) {
    return T(x);
  }
};
template <>
struct Put<float16> {
  template <class F>
  DEVICE float16 from(F x) {
    return float16{to_float16(real(x))};
  }
};
template <>
struct Put<bfloat16> {
  template <class F>
  DEVICE bfloat16 from(F x) {
    return bfloat16{to_bfloat16(real(x))};
  }
};
template <>
struct Put<truth> {
  template <class F>
  DEVICE truth from(F x) {
    return truth{uint8_t(x != 0)};
  }
};
template <class T, class F>
DEVICE T put(F x) {
  return Put<T>::from(x);
}
// To the values that T has, in registers.
template <class T, class F>
DEVICE In<T> rounded(F x) {
  return get(put<T>(x));
}
// Towards zero, as C does it; out of range what the machine gives.
template <class T, class F>
DEVICE T to_integer(F x) {
  if (sizeof(T) < 4) return T(int32_t(x));
  if (sizeof(T) == 4 && T(-1) > T(0)) return T(int64_t(x));
  return T(x);
}

template <class T>
struct Same {
  using type = T;
};
template <class T>
using Literal = typename Same<T>::type;  // a parameter from which T is not deduced

// -- CUDA's functions

#define UNARY(name, of_float, of_double)                     \
  DEVICE float name(float x) { return ::of_float(x); }       \
  DEVICE double name(double x) { return ::of_double(x); }
#define BINARY(name, of_float, of_double)                              \
  DEVICE float name(float a, float b) { return ::of_float(a, b); }     \
  DEVICE double name(double a, double b) { return ::of_double(a, b); }
UNARY(exp, expf, exp)
UNARY(exp2, exp2f, exp2)
UNARY(expm1, expm1f, expm1)
UNARY(log, logf, log)
UNARY(log2, log2f, log2)
UNARY(log10, log10f, log10)
UNARY(log1p, log1pf, log1p)
UNARY(sqrt, sqrtf, sqrt)
UNARY(cbrt, cbrtf, cbrt)
UNARY(sin, sinf, sin)
UNARY(cos, cosf, cos)
UNARY(tan, tanf, tan)
UNARY(asin, asinf, asin)
UNARY(acos, acosf, acos)
UNARY(atan, atanf, atan)
UNARY(sinh, sinhf, sinh)
UNARY(cosh, coshf, cosh)
UNARY(tanh, tanhf, tanh)
UNARY(asinh, asinhf, asinh)
UNARY(acosh, acoshf, acosh)
UNARY(atanh, atanhf, atanh)
UNARY(floor, floorf, floor)
UNARY(ceil, ceilf, ceil)
UNARY(trunc, truncf, trunc)
UNARY(rint, rintf, rint)
UNARY(erf, erff, erf)
UNARY(erfc, erfcf, erfc)
UNARY(erfinv, erfinvf, erfinv)
UNARY(lgamma, lgammaf, lgamma)
BINARY(pow, powf, pow)
BINARY(atan2, atan2f, atan2)
BINARY(hypot, hypotf, hypot)
BINARY(nextafter, nextafterf, nextafter)
BINARY(copysign, copysignf, copysign)
BINARY(remainder, fmodf, fmod)
#undef UNARY
#undef BINARY

template <class T>
DEVICE T rsqrt(T x) {
  return T(1) / sqrt(x);
}

// -- arithmetic as NumPy's

// NaN if either is.
template <class T>
DEVICE T maximum(T a, Literal<T> b) {
  const T larger = a > b ? a : b;
  return a != a ? a : larger;
}
template <class T>
DEVICE T minimum(T a, Literal<T> b) {
  const T smaller = a < b ? a : b;
  return a != a ? a : smaller;
}
template <class T>
DEVICE T abs(T x) {
  return T(x < 0 ? 0 - uint64_t(x) : uint64_t(x));
}
DEVICE float abs(float x) { return from_bits(bits_of(x) & 0x7fffffffu); }
DEVICE double abs(double x) { return from_bits(bits_of(x) & uint64_t(0x7fffffffffffffff)); }
template <class T>
DEVICE T sign(T x) {
  return x != x ? x : T((x > 0) - (x < 0));
}
template <class T>
DEVICE T floor_divide(T a, T b) {
  const bool negated = T(-1) < 0 && b == T(-1);
  const T divisor = b == 0 || negated ? T(1) : b;
  const T quotient = T(a / divisor - (a % divisor != 0 && (a < 0) != (b < 0)));
  return b == 0 ? T(0) : negated ? T(0 - uint64_t(a)) : quotient;
}
template <class T>
DEVICE T mod(T a, T b) {
  const T divisor = b == 0 || (T(-1) < 0 && b == T(-1)) ? T(1) : b;
  const T rest = T(a % divisor);
  return T(rest != 0 && (a < 0) != (b < 0) ? rest + b : rest);
}
template <class T>
DEVICE T left_shift(T a, T b) {
  const uint64_t count = uint64_t(b);
  return T(count < 8 * sizeof(T) ? uint64_t(a) << (count & 63) : 0);
}
template <class T>
DEVICE T right_shift(T a, T b) {
  const uint64_t count = uint64_t(b), most = 8 * sizeof(T) - 1;
  const T shifted = T(a >> (count < most ? count : most));
  return T(-1) > 0 && count > most ? T(0) : shifted;
}
template <class T>
DEVICE T rint(T x) {
  return x;
}
template <class T>
DEVICE T trunc(T x) {
  return x;
}
template <class T>
DEVICE bool isnan(T x) {
  return x != x;
}
template <class T>
DEVICE bool isinf(T) {
  return false;
}
template <class T>
DEVICE bool isfinite(T) {
  return true;
}
template <class T>
DEVICE bool signbit(T x) {
  return x < 0;
}
// Negative exponents give what truncation gives: 0, or +-1 for a base of +-1.
template <class T>
DEVICE T pow(T a, T b) {
  uint64_t base = uint64_t(a), product = 1;
  const bool negative = b < 0, unit = a == 1 || (T(-1) < 0 && a == T(-1));
  uint64_t exponent = negative ? 0 - uint64_t(b) : uint64_t(b);
  if (negative && !unit) return 0;
  for (; exponent; exponent >>= 1, base *= base) product *= exponent & 1 ? base : 1;
  return T(product);
}

template <class T>
struct Format;
template <>
struct Format<float> {
  DEVICE float infinity() { return from_bits(0x7f800000u); }
};
template <>
struct Format<double> {
  DEVICE double infinity() { return from_bits(uint64_t(0x7ff0000000000000)); }
};
DEVICE bool isinf(float x) { return abs(x) == Format<float>::infinity(); }
DEVICE bool isinf(double x) { return abs(x) == Format<double>::infinity(); }
DEVICE bool isfinite(float x) { return abs(x) < Format<float>::infinity(); }
DEVICE bool isfinite(double x) { return abs(x) < Format<double>::infinity(); }
DEVICE bool signbit(float x) { return bits_of(x) >> 31; }
DEVICE bool signbit(double x) { return bits_of(x) >> 63; }

template <class T>
DEVICE T mod_from(T rest, T b) {
  const T turned = (rest < 0) != (b < 0) ? rest + b : rest;
  return rest != 0 ? turned : b != 0 ? copysign(T(0), b) : rest;
}
template <class T>
DEVICE T floor_divide_from(T rest, T a, T b) {
  const T quotient = (a - rest) / b;
  const T lower = rest != 0 && (rest < 0) != (b < 0) ? quotient - 1 : quotient;
  const T floored = floor(lower);
  const T found = lower - floored > T(0.5) ? floored + 1 : floored;
  return b == 0 ? a / b : lower != 0 ? found : copysign(T(0), a / b);
}
DEVICE float mod(float a, float b) { return mod_from(remainder(a, b), b); }
DEVICE double mod(double a, double b) { return mod_from(remainder(a, b), b); }
DEVICE float floor_divide(float a, float b) { return floor_divide_from(remainder(a, b), a, b); }
DEVICE double floor_divide(double a, double b) { return floor_divide_from(remainder(a, b), a, b); }

template <class T>
DEVICE T sigmoid(T x) {
  const T power = exp(-abs(x));
  return (x < 0 ? power : T(1)) / (1 + power);
}
template <class T>
DEVICE T softplus(T x) {
  return maximum(x, 0) + log1p(exp(-abs(x)));
}
template <class T>
DEVICE T logaddexp(T a, T b) {
  // Equal infinities have no difference.
  return maximum(a, b) + log1p(exp(a == b ? T(0) : -abs(a - b)));
}
template <class T>
DEVICE T logaddexp2(T a, T b) {
  const T log2_e = T(1.4426950408889634);
  return maximum(a, b) + log2_e * log1p(exp2(a == b ? T(0) : -abs(a - b)));
}

}  // namespace k

template <class T>
using In = k::In<T>;
