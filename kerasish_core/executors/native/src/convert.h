// Conversions between number types, without branches, as NumPy's `astype` does them.
#pragma once

#include "bits.h"

namespace kerasish {
namespace KERASISH_ISA {

KERASISH_INLINE float from_float16(uint16_t half) {
  const uint32_t sign = uint32_t(half & 0x8000u) << 16, size = half & 0x7fffu;
  // The exponent is moved by a multiplication, which puts denormals right.
  const float scaled = from_bits(size << 13) * 0x1p112f;
  const uint32_t special = size >= 0x7c00u ? 0x7f800000u : 0u;
  return from_bits(bits_of(scaled) | special | sign);
}

KERASISH_INLINE uint16_t to_float16(float x) {
  const uint32_t bits = bits_of(x), size = bits & 0x7fffffffu;
  // Adding half of the last place that stays, less one if that is even, rounds to nearest even.
  const uint32_t normal = (size - 0x38000000u + 0xfffu + ((size >> 13) & 1u)) >> 13;
  // Below 2^-14 the adder rounds: the last place of 0.5 is that of the denormals.
  const uint32_t denormal = bits_of(from_bits(size) + 0.5f) - 0x3f000000u;
  uint32_t half = size < 0x38800000u ? denormal : normal;
  half = size >= 0x477ff000u ? 0x7c00u : half;
  half = size > 0x7f800000u ? 0x7e00u : half;
  return static_cast<uint16_t>(half | (bits >> 16 & 0x8000u));
}

KERASISH_INLINE uint16_t to_float16(double x) {
  // To odd first: what is lost sets the last bit, so that the second rounding is the only one.
  const float near = static_cast<float>(x);
  const double back = static_cast<double>(near);
  const double size = x < 0 ? -x : x, found = back < 0 ? -back : back;
  const uint32_t odd = (bits_of(near) - (found > size ? 1u : 0u)) | 1u;
  return to_float16(size < found || found < size ? from_bits(odd) : near);
}

KERASISH_INLINE float from_bfloat16(uint16_t half) { return from_bits(uint32_t(half) << 16); }

KERASISH_INLINE uint16_t to_bfloat16(float x) {
  const uint32_t bits = bits_of(x);
  const uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  const uint32_t nan = (bits >> 16 & 0x8000u) | 0x7fc0u;
  return static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

KERASISH_INLINE uint16_t to_bfloat16(double x) { return to_bfloat16(static_cast<float>(x)); }

// Towards zero. Out of range the result is what the machine gives.
template <class T, class F>
KERASISH_INLINE T to_integer(F x) {
  if (sizeof(T) < 4) return static_cast<T>(static_cast<int32_t>(x));
  if (sizeof(T) == 4 && T(-1) > T(0)) return static_cast<T>(static_cast<int64_t>(x));
  return static_cast<T>(x);
}

}  // namespace KERASISH_ISA
}  // namespace kerasish
