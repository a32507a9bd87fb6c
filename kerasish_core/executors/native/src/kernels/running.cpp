// Running sums and products along one axis.
#include "axis.h"
#include "kernel.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

struct Plus {
  template <class T>
  static T meet(T a, T b) {
    return static_cast<T>(a + b);
  }
  static float meet_wide(float a, float b) { return a + b; }
};
struct Times {
  template <class T>
  static T meet(T a, T b) {
    return static_cast<T>(a * b);
  }
  static float meet_wide(float a, float b) { return a * b; }
};
template <class Op, class T>
inline T meet(T a, T b) {
  return Op::meet(a, b);
}
template <class Op>
inline Half meet(Half a, Half b) {
  narrow(Op::meet_wide(widen(a), widen(b)), &a);
  return a;
}
template <class Op>
inline Brain meet(Brain a, Brain b) {
  narrow(Op::meet_wide(widen(a), widen(b)), &a);
  return a;
}

template <class Op, class T>
void running(const Call& call, const Axis& axis, bool reverse) {
  const T* x = static_cast<const T*>(call.data[0]);
  T* out = static_cast<T*>(call.data[1]);
  const int64_t n = axis.count, inner = axis.inner;
  if (n == 0 || inner == 0) return;
  int64_t piece = 65536 / (n * inner + 1) + 1;
  int64_t start = reverse ? (n - 1) * inner : 0, step = reverse ? -inner : inner;
  parallel_for(call.pool, (axis.outer + piece - 1) / piece, [&](int64_t p) {
    for (int64_t o = p * piece; o < (p + 1) * piece && o < axis.outer; ++o) {
      const T* source = x + o * n * inner + start;
      T* target = out + o * n * inner + start;
      if (inner == 1) {
        T held = *source;
        *target = held;
        for (int64_t k = 1; k < n; ++k) {
          held = meet<Op>(held, source[k * step]);
          target[k * step] = held;
        }
        continue;
      }
      for (int64_t i = 0; i < inner; ++i) target[i] = source[i];
      for (int64_t k = 1; k < n; ++k) {
        source += step;
        target += step;
        for (int64_t i = 0; i < inner; ++i) target[i] = meet<Op>(target[i - step], source[i]);
      }
    }
  });
}

// Of signed numbers as of unsigned ones: overflow wraps.
#define KERASISH_RUNNING(Op)                                                       \
  Axis axis(call.params);                                                          \
  bool reverse = call.params[4];                                                   \
  switch (axis.type) {                                                             \
    case kInt8: case kUint8: return running<Op, uint8_t>(call, axis, reverse);     \
    case kInt16: case kUint16: return running<Op, uint16_t>(call, axis, reverse);  \
    case kInt32: case kUint32: return running<Op, uint32_t>(call, axis, reverse);  \
    case kInt64: case kUint64: return running<Op, uint64_t>(call, axis, reverse);  \
    case kFloat32: return running<Op, float>(call, axis, reverse);                 \
    case kFloat64: return running<Op, double>(call, axis, reverse);                \
    case kFloat16: return running<Op, Half>(call, axis, reverse);                  \
    case kBfloat16: return running<Op, Brain>(call, axis, reverse);                \
    default: return;                                                               \
  }

// data: x, the result; params: type, outer, count, inner, whether from the end on
void cumsum(const Call& call) { KERASISH_RUNNING(Plus) }
void cumprod(const Call& call) { KERASISH_RUNNING(Times) }
#undef KERASISH_RUNNING

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(running, {"cumsum", cumsum}, {"cumprod", cumprod})
