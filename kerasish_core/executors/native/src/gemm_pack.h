// Copies of parts of a product's operands, in the order that its tiles read; only gemm.cpp
// includes it.
#pragma once

#include "gemm_tile.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

template <class T>
constexpr int64_t kLanes = Vec<T>::lanes;
template <class T>
constexpr int64_t kColumns = kVectors * Vec<T>::lanes;

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t parts(int64_t n, int64_t size) { return (n + size - 1) / size; }
inline int64_t round_up(int64_t n, int64_t size) { return parts(n, size) * size; }

// Panels of kColumns columns, row by row, the last one filled up with zeros.
template <class T>
void pack_panel(const T* b, int64_t row, int64_t col, int64_t k, int64_t columns, T* out) {
  using V = Vec<T>;
  constexpr int64_t L = V::lanes, W = kColumns<T>;
  if (col == 1 && columns == W) {
    for (int64_t i = 0; i < k; ++i)
      for (int v = 0; v < kVectors; ++v) {
        __builtin_prefetch(b + (i + 16) * row + v * L);
        V::load(b + i * row + v * L).store(out + i * W + v * L);
      }
    return;
  }
  if (col == 1) {
    for (int v = 0; v < kVectors; ++v) {
      auto tail = V::mask(most(least(columns - v * L, L), 0));
      for (int64_t i = 0; i < k; ++i)
        V::load(b + i * row + v * L, tail).store(out + i * W + v * L);
    }
    return;
  }
  for (int v = 0; v < kVectors; ++v) {
    int64_t count = most(least(columns - v * L, L), 0);
    const T* source = b + v * L * col;
    T* target = out + v * L;
    int64_t i = row == 1 ? copy_turned(source, col, count, k, target, W, V::mask(L)) : 0;
    for (; i < k; ++i)
      for (int64_t j = 0; j < L; ++j)
        target[i * W + j] = j < count ? source[j * col + i * row] : T(0);
  }
}

// Rows of A, one after another with a gap that keeps them in different sets of the cache.
template <class T>
void copy_rows(const T* a, int64_t row, int64_t rows, int64_t k, T* out, int64_t step) {
  using V = Vec<T>;
  auto tail = V::mask(k % V::lanes);
  for (int64_t r = 0; r < rows; ++r) {
    int64_t i = 0;
    for (; i + V::lanes <= k; i += V::lanes) {
      __builtin_prefetch(a + (r + 4) * row + i);
      V::load(a + r * row + i).store(out + r * step + i);
    }
    V::load(a + r * row + i, tail).store(out + r * step + i, tail);
  }
}

// Columns of A, one after another.
template <class T>
void copy_columns(const T* a, int64_t row, int64_t col, int64_t rows, int64_t k, T* out) {
  using V = Vec<T>;
  constexpr int64_t L = V::lanes;
  for (int64_t r = 0; r < rows; r += L) {
    int64_t count = least(L, rows - r), i = 0;
    auto some = V::mask(count);
    const T* source = a + r * row;
    if (row == 1) {
      T* to = out + r;
      for (; i < k; ++i, source += col, to += rows) {
        __builtin_prefetch(source + 16 * col);
        V::load(source, some).store(to, some);
      }
    } else if (col == 1) {
      i = copy_turned(source, row, count, k, out + r, rows, some);
    }
    for (; i < k; ++i)
      for (int64_t j = 0; j < count; ++j) out[i * rows + r + j] = source[j * row + i * col];
  }
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
