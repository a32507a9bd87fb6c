// Logarithms of sums of powers along one axis: log(sum(exp(x))).
#include "axis.h"
#include "kernel.h"
#include "rows.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

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

KERASISH_TABLE(log_sums, {"logsumexp", logsumexp})
