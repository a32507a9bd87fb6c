// The dtypes that integers name in parameters, as instructions/types.py numbers them.
#pragma once

#include <cstdint>

#include "kernel.h"

// The elements of two vectors of integers, by their places.
#if defined(__clang__)
#define KERASISH_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define KERASISH_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, decltype(a + b){__VA_ARGS__})
#endif

namespace kerasish {
namespace KERASISH_ISA {
namespace {

enum Type : int64_t {
  kInt8, kInt16, kInt32, kInt64, kUint8, kUint16, kUint32, kUint64, kFloat32, kFloat64, kFloat16,
  kBfloat16, kBool, kComplex64, kComplex128,
};

struct Half {
  uint16_t bits;
};
struct Brain {
  uint16_t bits;
};

inline float bits_to_float(uint32_t bits) {
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
inline uint32_t float_to_bits(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float widen(Brain x) { return bits_to_float(static_cast<uint32_t>(x.bits) << 16); }
inline float widen(Half x) {
  uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000) << 16, rest = x.bits & 0x7fff;
  if (rest >= 0x7c00) return bits_to_float(sign | 0x7f800000 | (rest & 0x3ff) << 13);
  // As a float whose exponent is 112 too small: the product is right for subnormal ones too.
  return bits_to_float(sign | float_to_bits(bits_to_float(rest << 13) * 0x1p112f));
}

// Rounded to the nearest, ties to even.
inline void narrow(float x, Brain* y) {
  uint32_t bits = float_to_bits(x);
  y->bits = x != x ? static_cast<uint16_t>(bits >> 16 | 0x40)
                   : static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
inline void narrow(float x, Half* y) {
  uint32_t bits = float_to_bits(x), sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  uint32_t found;
  if (bits > 0x7f800000) {
    found = 0x7e00 | (bits >> 13 & 0x3ff);
  } else if (bits >= 0x477ff000) {  // rounds to 65536 or more
    found = 0x7c00;
  } else if (bits < 0x38800000) {  // subnormal: adding 0.5 puts its last bit at that of a half
    found = float_to_bits(bits_to_float(bits) + 0.5f) - 0x3f000000;
  } else {
    found = (bits + 0xfff + (bits >> 13 & 1) - 0x38000000) >> 13;
  }
  y->bits = static_cast<uint16_t>(sign | found);
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
