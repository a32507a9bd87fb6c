// Sums and extremes of a row, always added in the same order, and how rows are shared out to tasks.
#pragma once

#include "kernel.h"
#include "simd.h"
#include "vmath.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

// What an expression of rows is computed with: many elements at once, or one.
template <class T>
struct Many {
  KERASISH_INLINE Vec<T> operator()(const T* p) const { return Vec<T>::load(p); }
  KERASISH_INLINE Vec<T> all(T x) const { return Vec<T>::broadcast(x); }
};
template <class T>
struct One {
  KERASISH_INLINE T operator()(const T* p) const { return *p; }
  KERASISH_INLINE T all(T x) const { return x; }
};

// The sum over i of f(get, i), where f reads by get(pointer + i).
template <class T, class F>
KERASISH_INLINE T total(int64_t n, const F& f) {
  using X = Vec<T>;
  constexpr int64_t lanes = X::lanes;
  const Many<T> many;
  X a = X::zero(), b = X::zero(), c = X::zero(), d = X::zero();
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = a + f(many, i);
    b = b + f(many, i + lanes);
    c = c + f(many, i + 2 * lanes);
    d = d + f(many, i + 3 * lanes);
  }
  for (; i + lanes <= n; i += lanes) a = a + f(many, i);
  T rest = 0;
  for (; i < n; ++i) rest += f(One<T>(), i);
  return sum((a + b) + (c + d)) + rest;
}

// The largest element of a row that has one; not a number where all comparisons with it fail.
template <class T>
KERASISH_INLINE T largest(const T* x, int64_t n) {
  using X = Vec<T>;
  constexpr int64_t lanes = X::lanes;
  T found = x[0];
  int64_t i = 0;
  if (n >= lanes) {
    X a = X::load(x);
    for (i = lanes; i + lanes <= n; i += lanes) a = max(X::load(x + i), a);
    T lane[lanes];
    a.store(lane);
    for (T v : lane) found = v > found ? v : found;
  }
  for (; i < n; ++i) found = x[i] > found ? x[i] : found;
  return found;
}

// Tasks for rows of n numbers: enough work in each, and not too many partial results.
struct Tasks {
  int64_t count, each;
  Tasks(int64_t rows, int64_t n, int64_t most) {
    count = rows * n / (int64_t(1) << 15);
    count = count > most ? most : count;
    count = count > rows ? rows : count;
    count = count < 1 ? 1 : count;
    each = (rows + count - 1) / count;
  }
  int64_t begin(int64_t i) const { return i * each; }
  int64_t end(int64_t i, int64_t rows) const {
    return (i + 1) * each < rows ? (i + 1) * each : rows;
  }
};

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
