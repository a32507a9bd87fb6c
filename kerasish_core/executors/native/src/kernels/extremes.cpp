// Places of extremes along one axis: argmax and argmin.
#include "axis.h"
#include "kernel.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

// What is compared: Keras orders -0.0 before 0.0, as a number just below the subnormal ones.
template <class T>
inline T ordered(T x) {
  return x;
}
inline float ordered(float x) { return bits_of(x) == 0x80000000u ? -0x1p-126f : x; }
inline double ordered(double x) { return x == 0 && __builtin_signbit(x) ? -0x1p-1022 : x; }
inline float ordered(Half x) { return x.bits == 0x8000 ? -0x1p-14f : widen(x); }
inline float ordered(Brain x) { return x.bits == 0x8000 ? -0x1p-126f : widen(x); }

template <bool largest, class C>
inline bool wins(C x, C held) {
  if constexpr (static_cast<C>(0.5) == static_cast<C>(0))
    return largest ? x > held : x < held;
  else
    return (largest ? x > held : x < held) | ((x != x) & (held == held));
}

// The same for vectors of the dtypes that matter; `Mask` is what comparing them gives.
template <class T>
struct Vector {
  static constexpr int lanes = 0;
};
#if defined(KERASISH_ISA_AVX512)
#define KERASISH_BYTES 64
#elif defined(KERASISH_ISA_AVX2)
#define KERASISH_BYTES 32
#else
#define KERASISH_BYTES 16
#endif
#define KERASISH_VECTOR(T, I)                                   \
  template <>                                                   \
  struct Vector<T> {                                            \
    typedef T Type __attribute__((vector_size(KERASISH_BYTES))); \
    typedef I Mask __attribute__((vector_size(KERASISH_BYTES))); \
    static constexpr int lanes = KERASISH_BYTES / sizeof(T);    \
  };
KERASISH_VECTOR(float, int32_t)
KERASISH_VECTOR(double, int64_t)
KERASISH_VECTOR(int32_t, int32_t)
KERASISH_VECTOR(int64_t, int64_t)
#undef KERASISH_VECTOR
#undef KERASISH_BYTES

template <class T>
inline typename Vector<T>::Type load_ordered(const T* x) {
  using V = typename Vector<T>::Type;
  using Mask = typename Vector<T>::Mask;
  V v;
  __builtin_memcpy(&v, x, sizeof v);
  if constexpr (static_cast<T>(0.5) == static_cast<T>(0)) {
    return v;
  } else {
    return (Mask)v == (Mask)(-V{}) ? V{} + ordered(T(-0.0)) : v;
  }
}

// The best of each of as many columns as a vector has lanes, the first of equal ones.
template <bool largest, class T>
inline void best_lanes(const T* x, int64_t count, int64_t step, T* best, int32_t* place) {
  using V = typename Vector<T>::Type;
  using Mask = typename Vector<T>::Mask;
  V held = load_ordered(x);
  Mask found = {}, now = {};
  for (int64_t k = 1; k < count; ++k) {
    now += 1;
    V v = load_ordered(x + k * step);
    Mask better = largest ? v > held : v < held;
    if constexpr (static_cast<T>(0.5) != static_cast<T>(0)) better |= (v != v) & (held == held);
    held = better ? v : held;
    found = better ? now : found;
  }
  __builtin_memcpy(best, &held, sizeof held);
  for (int i = 0; i < Vector<T>::lanes; ++i) place[i] = static_cast<int32_t>(found[i]);
}

// The best of each of `width` columns, the first of equal ones.
template <bool largest, class T, class C>
inline void best_rows(const T* x, int64_t count, int64_t step, int64_t width, C* held,
                      int32_t* found) {
  int64_t i = 0;
  if constexpr (Vector<T>::lanes > 0)
    for (; i + Vector<T>::lanes <= width; i += Vector<T>::lanes)
      best_lanes<largest>(x + i, count, step, held + i, found + i);
  for (; i < width; ++i) {
    held[i] = ordered(x[i]);
    found[i] = 0;
    for (int64_t k = 1; k < count; ++k) {
      C v = ordered(x[k * step + i]);
      if (!wins<largest>(v, held[i])) continue;
      held[i] = v;
      found[i] = static_cast<int32_t>(k);
    }
  }
}

template <bool largest, class T>
int32_t best_of(const T* x, int64_t count) {
  using C = decltype(ordered(*x));
  C best = ordered(x[0]);
  int32_t place = 0;
  int64_t k = 1;
  if constexpr (Vector<T>::lanes > 0) {
    constexpr int32_t lanes = Vector<T>::lanes, width = 4 * lanes;
    if (count >= 2 * width) {  // the best of each column of a matrix, then the best of those
      C held[width];
      int32_t found[width];
      k = count / width * width;
      for (int32_t i = 0; i < width; i += lanes)
        best_lanes<largest>(x + i, count / width, width, held + i, found + i);
      place = found[0] * width;
      best = held[0];
      for (int32_t i = 1; i < width; ++i) {
        int32_t at = found[i] * width + i;
        bool equal = !wins<largest>(best, held[i]) && !wins<largest>(held[i], best);
        if (!wins<largest>(held[i], best) && !(equal && at < place)) continue;
        best = held[i];
        place = at;
      }
    }
  }
  for (; k < count; ++k) {
    C v = ordered(x[k]);
    if (wins<largest>(v, best)) {
      best = v;
      place = static_cast<int32_t>(k);
    }
  }
  return place;
}

template <bool largest, class T>
void best(const Call& call, const Axis& axis) {
  using C = decltype(ordered(T()));
  const T* x = static_cast<const T*>(call.data[0]);
  int32_t* out = static_cast<int32_t*>(call.data[1]);
  if (axis.outer == 0 || axis.inner == 0) return;
  if (axis.inner == 1) {
    int64_t piece = 65536 / axis.count + 1;
    parallel_for(call.pool, (axis.outer + piece - 1) / piece, [&](int64_t p) {
      for (int64_t o = p * piece; o < (p + 1) * piece && o < axis.outer; ++o)
        out[o] = best_of<largest>(x + o * axis.count, axis.count);
    });
    return;
  }
  constexpr int64_t most = 512;
  int64_t parts = (axis.inner + most - 1) / most;
  int64_t piece = 65536 / (axis.count * (axis.inner < most ? axis.inner : most)) + 1;
  int64_t total = axis.outer * parts;
  parallel_for(call.pool, (total + piece - 1) / piece, [&](int64_t p) {
    C held[most];
    for (int64_t i = p * piece; i < (p + 1) * piece && i < total; ++i) {
      int64_t o = i / parts, first = i % parts * most;
      int64_t width = axis.inner - first < most ? axis.inner - first : most;
      best_rows<largest>(x + o * axis.count * axis.inner + first, axis.count, axis.inner, width,
                         held, out + o * axis.inner + first);
    }
  });
}

// data: x, places; params: type, outer, count, inner
void argmax(const Call& call) {
  Axis axis(call.params);
#define KERASISH_BEST(T) best<true, T>(call, axis)
  KERASISH_NUMBERS(axis.type, KERASISH_BEST)
#undef KERASISH_BEST
}
void argmin(const Call& call) {
  Axis axis(call.params);
#define KERASISH_BEST(T) best<false, T>(call, axis)
  KERASISH_NUMBERS(axis.type, KERASISH_BEST)
#undef KERASISH_BEST
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(extremes, {"argmax", argmax}, {"argmin", argmin})
