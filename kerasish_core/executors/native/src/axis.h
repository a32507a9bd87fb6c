// Kernels along one axis: the array as they see it, and its dtype.
#pragma once

#include "types.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

// An array seen as [outer, count, inner].
struct Axis {
  Type type;
  int64_t outer, count, inner;
  explicit Axis(const int64_t* p)
      : type(static_cast<Type>(p[0])), outer(p[1]), count(p[2]), inner(p[3]) {}
};

#define KERASISH_NUMBERS(type, call)                 \
  switch (type) {                                    \
    case kInt8: call(int8_t); break;                 \
    case kInt16: call(int16_t); break;               \
    case kInt32: call(int32_t); break;               \
    case kInt64: call(int64_t); break;               \
    case kUint8: case kBool: call(uint8_t); break;   \
    case kUint16: call(uint16_t); break;             \
    case kUint32: call(uint32_t); break;             \
    case kUint64: call(uint64_t); break;             \
    case kFloat32: call(float); break;               \
    case kFloat64: call(double); break;              \
    case kFloat16: call(Half); break;                \
    case kBfloat16: call(Brain); break;              \
    default: break;                                  \
  }

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
