// Along one axis: extremes, sorting, searching, running sums, logarithms of sums of powers.
#include "kernel.h"
#include "rows.h"
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

// ---- argmax, argmin

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

// ---- keys: unsigned numbers in the order of the elements, zeros equal, NaN above all

template <class W>
inline W float_key(W bits, W infinity) {
  constexpr W sign = W(W(1) << (sizeof(W) * 8 - 1));
  W size = bits & W(~sign);
  if (size > infinity) return W(~W(0));
  if (size == 0) return sign;
  return bits & sign ? W(~bits) : W(bits | sign);
}
inline uint8_t key(int8_t x) { return static_cast<uint8_t>(x ^ INT8_MIN); }
inline uint16_t key(int16_t x) { return static_cast<uint16_t>(x ^ INT16_MIN); }
inline uint32_t key(int32_t x) { return static_cast<uint32_t>(x ^ INT32_MIN); }
inline uint64_t key(int64_t x) { return static_cast<uint64_t>(x ^ INT64_MIN); }
inline uint8_t key(uint8_t x) { return x; }
inline uint16_t key(uint16_t x) { return x; }
inline uint32_t key(uint32_t x) { return x; }
inline uint64_t key(uint64_t x) { return x; }
inline uint32_t key(float x) { return float_key(bits_of(x), 0x7f800000u); }
inline uint64_t key(double x) {
  return float_key(bits_of(x), uint64_t(0x7ff0000000000000));
}
inline uint16_t key(Half x) { return float_key(x.bits, uint16_t(0x7c00)); }
inline uint16_t key(Brain x) { return float_key(x.bits, uint16_t(0x7f80)); }

// ---- sorting

template <class W>
struct Pair {
  W key;
  int32_t place;
};

template <class W>
void insertion_sort(Pair<W>* x, int64_t count) {
  for (int64_t i = 1; i < count; ++i) {
    Pair<W> held = x[i];
    int64_t k = i;
    for (; k > 0 && x[k - 1].key > held.key; --k) x[k] = x[k - 1];
    x[k] = held;
  }
}

template <class W>
inline void merge(const Pair<W>* a, int64_t na, const Pair<W>* b, int64_t nb, Pair<W>* out) {
  const Pair<W>*last_a = a + na, *last_b = b + nb;
  while (a < last_a && b < last_b) {
    bool second = b->key < a->key;
    *out++ = second ? *b : *a;
    b += second;
    a += !second;
  }
  while (a < last_a) *out++ = *a++;
  while (b < last_b) *out++ = *b++;
}

// Stable; the sorted pairs are in the memory that is returned.
template <class W>
Pair<W>* merge_sort(Pair<W>* x, Pair<W>* spare, int64_t count) {
  constexpr int64_t run = 16;
  for (int64_t i = 0; i < count; i += run)
    insertion_sort(x + i, count - i < run ? count - i : run);
  for (int64_t width = run; width < count; width *= 2) {
    for (int64_t i = 0; i < count; i += 2 * width) {
      int64_t na = count - i < width ? count - i : width;
      int64_t nb = count - i - na < width ? count - i - na : width;
      merge(x + i, na, x + i + na, nb, spare + i);
    }
    Pair<W>* other = x;
    x = spare;
    spare = other;
  }
  return x;
}

// The same by one byte of the key after the other, from the lowest on.
template <class W>
Pair<W>* radix_sort(Pair<W>* x, Pair<W>* spare, int64_t count) {
  int32_t sizes[sizeof(W)][256] = {};
  for (int64_t i = 0; i < count; ++i)
    for (unsigned byte = 0; byte < sizeof(W); ++byte) ++sizes[byte][x[i].key >> 8 * byte & 255];
  for (unsigned byte = 0; byte < sizeof(W); ++byte) {
    const unsigned shift = 8 * byte;
    if (sizes[byte][x[0].key >> shift & 255] == count) continue;
    Pair<W>* places[256];
    Pair<W>* place = spare;
    for (int k = 0; k < 256; ++k) {
      places[k] = place;
      place += sizes[byte][k];
    }
    for (int64_t i = 0; i < count; ++i) *places[x[i].key >> shift & 255]++ = x[i];
    Pair<W>* other = x;
    x = spare;
    spare = other;
  }
  return x;
}

// Calls body(sorted pairs, first element, place of the row) for each row along the axis.
template <bool descending, class T, class F>
void sort_rows(const Call& call, const Axis& axis, const F& body) {
  using W = decltype(key(T()));
  const T* x = static_cast<const T*>(call.data[0]);
  const int64_t n = axis.count, rows = axis.outer * axis.inner;
  if (n == 0 || rows == 0) return;
  const int64_t piece = 8192 / n + 1;
  parallel_for(call.pool, (rows + piece - 1) / piece, [&](int64_t p) {
    auto* pairs = reinterpret_cast<Pair<W>*>(
        thread_scratch(static_cast<size_t>(2 * n) * sizeof(Pair<W>)));
    for (int64_t row = p * piece; row < (p + 1) * piece && row < rows; ++row) {
      int64_t first = row / axis.inner * n * axis.inner + row % axis.inner;
      for (int64_t k = 0; k < n; ++k) {
        W word = key(x[first + k * axis.inner]);
        pairs[k] = {descending ? W(~word) : word, static_cast<int32_t>(k)};
      }
      Pair<W>* sorted = n < 512 ? merge_sort(pairs, pairs + n, n) : radix_sort(pairs, pairs + n, n);
      body(sorted, first, row);
    }
  });
}

template <class T>
void sort_values(const Call& call, const Axis& axis) {
  using W = decltype(key(T()));
  const T* x = static_cast<const T*>(call.data[0]);
  T* out = static_cast<T*>(call.data[1]);
  sort_rows<false, T>(call, axis, [&](const Pair<W>* sorted, int64_t first, int64_t) {
    for (int64_t k = 0; k < axis.count; ++k)
      out[first + k * axis.inner] = x[first + sorted[k].place * axis.inner];
  });
}
template <class T>
void sort_places(const Call& call, const Axis& axis) {
  using W = decltype(key(T()));
  int32_t* out = static_cast<int32_t*>(call.data[1]);
  sort_rows<false, T>(call, axis, [&](const Pair<W>* sorted, int64_t first, int64_t) {
    for (int64_t k = 0; k < axis.count; ++k) out[first + k * axis.inner] = sorted[k].place;
  });
}

// data: x, x sorted; params: type, outer, count, inner
void sort(const Call& call) {
  Axis axis(call.params);
#define KERASISH_SORT(T) sort_values<T>(call, axis)
  KERASISH_NUMBERS(axis.type, KERASISH_SORT)
#undef KERASISH_SORT
}
// data: x, places; params: type, outer, count, inner
void argsort(const Call& call) {
  Axis axis(call.params);
#define KERASISH_SORT(T) sort_places<T>(call, axis)
  KERASISH_NUMBERS(axis.type, KERASISH_SORT)
#undef KERASISH_SORT
}

// ---- the k largest

constexpr int64_t kFew = 64;

template <class T>
void few_largest(const T* x, int64_t count, int64_t most, int32_t* out) {
  using W = decltype(key(T()));
  W held[kFew];
  int64_t found = 0;
  for (int64_t i = 0; i < count; ++i) {
    W word = key(x[i]);
    if (found == most && word <= held[most - 1]) continue;
    int64_t k = found < most ? found++ : most - 1;
    for (; k > 0 && held[k - 1] < word; --k) {
      held[k] = held[k - 1];
      out[k] = out[k - 1];
    }
    held[k] = word;
    out[k] = static_cast<int32_t>(i);
  }
}

template <class T>
void most_largest(const Call& call, const Axis& axis, int64_t most) {
  using W = decltype(key(T()));
  const T* x = static_cast<const T*>(call.data[0]);
  int32_t* out = static_cast<int32_t*>(call.data[1]);
  if (most == 0) return;
  if (most <= kFew) {
    int64_t piece = 32768 / (axis.count + 1) + 1;
    parallel_for(call.pool, (axis.outer + piece - 1) / piece, [&](int64_t p) {
      for (int64_t o = p * piece; o < (p + 1) * piece && o < axis.outer; ++o)
        few_largest(x + o * axis.count, axis.count, most, out + o * most);
    });
    return;
  }
  sort_rows<true, T>(call, axis, [&](const Pair<W>* sorted, int64_t, int64_t row) {
    for (int64_t k = 0; k < most; ++k) out[row * most + k] = sorted[k].place;
  });
}

// data: x, places; params: type, outer, count, 1, k
void top_k(const Call& call) {
  Axis axis(call.params);
#define KERASISH_LARGEST(T) most_largest<T>(call, axis, call.params[4])
  KERASISH_NUMBERS(axis.type, KERASISH_LARGEST)
#undef KERASISH_LARGEST
}

// ---- searching

template <class T>
void search(const Call& call) {
  const T* x = static_cast<const T*>(call.data[0]);
  const T* values = static_cast<const T*>(call.data[1]);
  int32_t* out = static_cast<int32_t*>(call.data[2]);
  const int64_t count = call.params[1], total = call.params[2];
  const bool right = call.params[3];
  constexpr int64_t piece = 4096;
  parallel_for(call.pool, (total + piece - 1) / piece, [&](int64_t p) {
    for (int64_t i = p * piece; i < (p + 1) * piece && i < total; ++i) {
      auto word = key(values[i]);
      int64_t low = 0, high = count;
      while (low < high) {
        int64_t middle = (low + high) / 2;
        auto other = key(x[middle]);
        if (other < word || (right && other == word))
          low = middle + 1;
        else
          high = middle;
      }
      out[i] = static_cast<int32_t>(low);
    }
  });
}

// data: sorted, values, places; params: type, elements sorted, values, whether right
void searchsorted(const Call& call) {
#define KERASISH_SEARCH(T) search<T>(call)
  KERASISH_NUMBERS(call.params[0], KERASISH_SEARCH)
#undef KERASISH_SEARCH
}

// ---- running sums and products

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

// ---- log(sum(exp(x)))

inline float wide(float x) { return x; }
inline double wide(double x) { return x; }
inline float wide(Half x) { return widen(x); }
inline float wide(Brain x) { return widen(x); }
inline void put(float x, float* y) { *y = x; }
inline void put(double x, double* y) { *y = x; }
inline void put(float x, Half* y) { narrow(x, y); }
inline void put(float x, Brain* y) { narrow(x, y); }

constexpr int64_t kTile = 512;

// What is subtracted of all: the largest if it is a finite number.
template <class C>
inline C shift_of(C top) {
  return top - top == 0 ? top : C(0);
}

template <class T, class C>
void log_sum_row(const T* x, int64_t count, T* out) {
  C tile[kTile], top = -__builtin_inff();
  for (int64_t first = 0; first < count; first += kTile) {
    int64_t n = count - first < kTile ? count - first : kTile;
    for (int64_t i = 0; i < n; ++i) tile[i] = wide(x[first + i]);
    C found = largest(tile, n);
    top = found > top ? found : top;
  }
  const C shift = shift_of(top);
  C all = 0;
  for (int64_t first = 0; first < count; first += kTile) {
    int64_t n = count - first < kTile ? count - first : kTile;
    for (int64_t i = 0; i < n; ++i) tile[i] = exp(wide(x[first + i]) - shift);
    all += total<C>(n, [&](const auto& get, int64_t i) { return get(tile + i); });
  }
  put(log(all) + shift, out);
}

template <class T, class C>
void log_sum_columns(const T* x, int64_t count, int64_t step, int64_t width, T* out) {
  C shift[kTile], all[kTile];
  for (int64_t i = 0; i < width; ++i) shift[i] = -__builtin_inff();
  for (int64_t k = 0; k < count; ++k)
    for (int64_t i = 0; i < width; ++i) {
      C v = wide(x[k * step + i]);
      shift[i] = v > shift[i] ? v : shift[i];
    }
  for (int64_t i = 0; i < width; ++i) {
    shift[i] = shift_of(shift[i]);
    all[i] = 0;
  }
  for (int64_t k = 0; k < count; ++k)
    for (int64_t i = 0; i < width; ++i) all[i] += exp(wide(x[k * step + i]) - shift[i]);
  for (int64_t i = 0; i < width; ++i) put(log(all[i]) + shift[i], out + i);
}

template <class T>
void log_sums(const Call& call, const Axis& axis) {
  using C = decltype(wide(T()));
  const T* x = static_cast<const T*>(call.data[0]);
  T* out = static_cast<T*>(call.data[1]);
  const int64_t tile = axis.inner < kTile ? axis.inner : kTile;
  if (axis.outer == 0 || tile == 0) return;
  const int64_t parts = (axis.inner + tile - 1) / tile, rows = axis.outer * parts;
  const int64_t piece = 16384 / (axis.count * tile + 1) + 1;
  parallel_for(call.pool, (rows + piece - 1) / piece, [&](int64_t p) {
    for (int64_t i = p * piece; i < (p + 1) * piece && i < rows; ++i) {
      int64_t o = i / parts, first = i % parts * tile;
      int64_t width = axis.inner - first < tile ? axis.inner - first : tile;
      const T* from = x + o * axis.count * axis.inner + first;
      T* to = out + o * axis.inner + first;
      if (axis.inner == 1)
        log_sum_row<T, C>(from, axis.count, to);
      else
        log_sum_columns<T, C>(from, axis.count, axis.inner, width, to);
    }
  });
}

// data: x, the result; params: type, outer, count, inner
void logsumexp(const Call& call) {
  Axis axis(call.params);
  switch (axis.type) {
    case kFloat32: return log_sums<float>(call, axis);
    case kFloat64: return log_sums<double>(call, axis);
    case kFloat16: return log_sums<Half>(call, axis);
    case kBfloat16: return log_sums<Brain>(call, axis);
    default: return;
  }
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(select, {"argmax", argmax}, {"argmin", argmin}, {"sort", sort},
               {"argsort", argsort}, {"top_k", top_k}, {"searchsorted", searchsorted},
               {"cumsum", cumsum}, {"cumprod", cumprod}, {"logsumexp", logsumexp})
