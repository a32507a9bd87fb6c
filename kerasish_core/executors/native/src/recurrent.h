// What the recurrent kernels share: activations of rows, and the product of a block of states with
// a matrix that was packed once for all steps.
#pragma once

#include "kernel.h"
#include "vmath.h"
#include "simd.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

#define KERASISH_UNROLL _Pragma("GCC unroll 16")
enum Kind : int64_t { kTanh, kSigmoid, kHardSigmoid, kRelu, kLinear };

template <class T>
void activate(int64_t kind, T* x, int64_t n) {
  switch (kind) {
    case kTanh:
      for (int64_t i = 0; i < n; ++i) x[i] = tanh(x[i]);
      break;
    case kSigmoid:
      for (int64_t i = 0; i < n; ++i) x[i] = sigmoid(x[i]);
      break;
    case kHardSigmoid:
      for (int64_t i = 0; i < n; ++i) x[i] = minimum(maximum(x[i] + 3, 0), 6) / 6;
      break;
    case kRelu:
      for (int64_t i = 0; i < n; ++i) x[i] = maximum(x[i], 0);
      break;
  }
}

// What the activation's derivative is where its value is y.
template <class T>
void slopes(int64_t kind, const T* y, T* out, int64_t n) {
  switch (kind) {
    case kTanh:
      for (int64_t i = 0; i < n; ++i) out[i] = 1 - y[i] * y[i];
      break;
    case kSigmoid:
      for (int64_t i = 0; i < n; ++i) out[i] = y[i] * (1 - y[i]);
      break;
    case kHardSigmoid:
      for (int64_t i = 0; i < n; ++i) out[i] = y[i] > 0 && y[i] < 1 ? T(1) / 6 : T(0);
      break;
    case kRelu:
      for (int64_t i = 0; i < n; ++i) out[i] = y[i] > 0 ? T(1) : T(0);
      break;
    default:
      for (int64_t i = 0; i < n; ++i) out[i] = 1;
  }
}

template <class T>
void copy(T* to, const T* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}

// -- the product: tiles of kTileRows rows and kTileVectors vectors, accumulated in registers

#if defined(KERASISH_ISA_AVX512)
constexpr int kTileRows = 8, kTileVectors = 2;
#elif defined(KERASISH_ISA_AVX2)
constexpr int kTileRows = 4, kTileVectors = 3;
#elif defined(__aarch64__)
constexpr int kTileRows = 8, kTileVectors = 2;
#else
constexpr int kTileRows = 4, kTileVectors = 2;
#endif

// out[i, :] = sum over k of a[i, k] * b[k, :], for R rows and V vectors.
template <class T, int R, int V>
void product_tile(int64_t depth, const T* a, int64_t a_pitch, const T* b, T* out, int64_t pitch) {
  using X = Vec<T>;
  X acc[R][V];
  KERASISH_UNROLL for (int i = 0; i < R; ++i)
    KERASISH_UNROLL for (int j = 0; j < V; ++j) acc[i][j] = X::zero();
  const T* row[R];
  KERASISH_UNROLL for (int i = 0; i < R; ++i) row[i] = a + i * a_pitch;
  for (int64_t k = 0; k < depth; ++k, b += V * X::lanes) {
    X right[V];
    KERASISH_UNROLL for (int j = 0; j < V; ++j) right[j] = X::load(b + j * X::lanes);
    KERASISH_UNROLL for (int i = 0; i < R; ++i) {
      const X left = X::broadcast(row[i][k]);
      KERASISH_UNROLL for (int j = 0; j < V; ++j) acc[i][j] = fma(left, right[j], acc[i][j]);
    }
  }
  KERASISH_UNROLL for (int i = 0; i < R; ++i)
    KERASISH_UNROLL for (int j = 0; j < V; ++j) acc[i][j].store(out + i * pitch + j * X::lanes);
}

template <class T, int V>
void product_rows(int64_t rows, int64_t depth, const T* a, int64_t a_pitch, const T* b, T* out,
                  int64_t pitch) {
  auto step = [&](int64_t done) { rows -= done, a += done * a_pitch, out += done * pitch; };
  for (; rows >= kTileRows; step(kTileRows))
    product_tile<T, kTileRows, V>(depth, a, a_pitch, b, out, pitch);
  if (rows & 4) product_tile<T, 4, V>(depth, a, a_pitch, b, out, pitch), step(4);
  if (rows & 2) product_tile<T, 2, V>(depth, a, a_pitch, b, out, pitch), step(2);
  if (rows & 1) product_tile<T, 1, V>(depth, a, a_pitch, b, out, pitch);
}

// A matrix of `depth` rows whose columns are cut into panels of whole vectors, filled with zeros.
template <class T>
struct Packed {
  static constexpr int64_t lanes = Vec<T>::lanes;
  static constexpr int64_t panel = kTileVectors * lanes;
  T* data;
  int64_t depth, width;  // width: columns, filled up

  // m[k * row + n * column] is the element in row k and column n.
  Packed(const Call& call, const T* m, int64_t depth, int64_t columns, int64_t row, int64_t column)
      : data(reinterpret_cast<T*>(call.scratch)), depth(depth),
        width((columns + lanes - 1) / lanes * lanes) {
    const int64_t panels = (width + panel - 1) / panel;
    const int64_t each = 1 + (int64_t(1) << 16) / (depth * panel + 1);  // panels of a task
    parallel_for(call.pool, (panels + each - 1) / each, [&](int64_t task) {
      for (int64_t p = task * each; p < panels && p < (task + 1) * each; ++p) {
        const int64_t first = p * panel, size = min_of(panel, width - first);
        fill(data + first * depth, m + first * column, size, min_of(size, columns - first), row, column);
      }
    });
  }

  // One panel, read along the axis whose elements are neighbours.
  void fill(T* to, const T* from, int64_t size, int64_t real_size, int64_t row, int64_t column) {
    if (column == 1) {
      for (int64_t k = 0; k < depth; ++k, to += size, from += row) {
        for (int64_t n = 0; n < real_size; ++n) to[n] = from[n];
        for (int64_t n = real_size; n < size; ++n) to[n] = 0;
      }
      return;
    }
    for (int64_t n = 0; n < size; ++n)
      for (int64_t k = 0; k < depth; ++k)
        to[k * size + n] = n < real_size ? from[k * row + n * column] : T(0);
  }

  static int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }

  // out = a @ matrix for some rows; `pitch` is at least `width`.
  void product(int64_t rows, const T* a, int64_t a_pitch, T* out, int64_t pitch) const {
    for (int64_t first = 0; first < width; first += panel) {
      const T* b = data + first * depth;
      switch (min_of(panel, width - first) / lanes) {
        case 1: product_rows<T, 1>(rows, depth, a, a_pitch, b, out + first, pitch); break;
        case 2: product_rows<T, 2>(rows, depth, a, a_pitch, b, out + first, pitch); break;
        default: product_rows<T, kTileVectors>(rows, depth, a, a_pitch, b, out + first, pitch);
      }
    }
  }
};

// The sizes of a recurrence, and its order of steps.
struct Shape {
  int64_t batch, time, units;
  bool masked, reverse;
  int64_t activation, gate;

  explicit Shape(const int64_t* p)
      : batch(p[0]), time(p[1]), units(p[2]), masked(p[3]), reverse(p[4]), activation(p[5]),
        gate(p[6]) {}

  int64_t step(int64_t s) const { return reverse ? time - 1 - s : s; }

  // Rows of a task: of some work, and few passes over a matrix that no cache holds.
  int64_t rows(int64_t width) const {
    const int64_t work = time * units * width + 1;
    int64_t found = 8;
    while (found < batch && found * work < (int64_t(1) << 20)) found += 8;
    if (units * width > (int64_t(1) << 18) && found * 2 < batch) found = (batch / 2 + 7) / 8 * 8;
    return found;
  }
};

// Runs body(first row, rows, memory) for every block of the batch; `numbers` per row.
template <class T, class F>
void for_blocks(const Call& call, const Shape& shape, int64_t width, int64_t numbers, const F& body) {
  const int64_t block = shape.rows(width), blocks = (shape.batch + block - 1) / block;
  parallel_for(call.pool, blocks, [&](int64_t i) {
    const int64_t first = i * block, left = shape.batch - first, rows = left < block ? left : block;
    body(first, rows, reinterpret_cast<T*>(thread_scratch(sizeof(T) * (rows + 1) * numbers)));
  });
}

// A row's pitch: whole vectors, and rows that do not fall onto each other in the cache.
template <class T>
int64_t pitch_of(int64_t width) {
  return ((width + 15) / 16 + 1) * 16;
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
