// The dtypes that integers name in parameters, as instructions/types.py numbers them.
#pragma once

#include <cstdint>

#include "convert.h"
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

inline float widen(Half x) { return from_float16(x.bits); }
inline float widen(Brain x) { return from_bfloat16(x.bits); }
inline void narrow(float x, Half* y) { y->bits = to_float16(x); }
inline void narrow(float x, Brain* y) { y->bits = to_bfloat16(x); }

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
