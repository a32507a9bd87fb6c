// Register tiles of the convolutions: a few rows of a few vectors, accumulated in registers.
#pragma once

#include "simd.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

#define KERASISH_UNROLL _Pragma("GCC unroll 16")

// The most vectors side by side, and the most rows for each number of them: accumulators, one row
// of the right factor and one broadcast fit the registers.
#if defined(KERASISH_SMALL_TILES)  // under sanitizers
constexpr int kVectors = 2;
constexpr int kRows[kVectors + 1] = {0, 3, 2};
#elif defined(KERASISH_ISA_AVX512) || (defined(KERASISH_ISA_PLAIN) && defined(__aarch64__))
constexpr int kVectors = 4;
constexpr int kRows[kVectors + 1] = {0, 16, 14, 8, 6};
#else
constexpr int kVectors = 2;
constexpr int kRows[kVectors + 1] = {0, 12, 6};
#endif

// What happens to a tile before it is stored.
template <class T>
struct Finish {
  const T* bias;  // or null
  bool relu;
  bool add;  // to what is there: the sum goes on
};

template <class T>
using ForwardTile = void (*)(const T* const* segments, int64_t count, int64_t offset,
                             int64_t depth, int64_t pixel, const T* weights, T* y,
                             int64_t y_pixel, int64_t columns, Finish<T> finish);

// y[i, :] = sum over segments s and k < depth of
//   segment[s][offset + i * pixel + k] * weights[s, k, :]
// for R pixels and V vectors, of which `columns` lanes exist.
// Channels: the distance of pixels if it is known, or 0: all addresses are then near one.
template <class T, int R, int V, int Channels>
void forward_tile(const T* const* segments, int64_t count, int64_t offset, int64_t depth,
                  int64_t pixels_apart, const T* weights, T* y, int64_t y_pixel, int64_t columns,
                  Finish<T> finish) {
  using X = Vec<T>;
  const int64_t pixel = Channels ? Channels : pixels_apart;
  // A base address serves three pixels; more addresses than registers would be reloaded.
  constexpr int G = Channels ? R : 3, B = (R + G - 1) / G;
  X acc[R][V];
  const auto last = X::mask(columns - (V - 1) * X::lanes);
  KERASISH_UNROLL for (int i = 0; i < R; ++i)
    KERASISH_UNROLL for (int j = 0; j < V; ++j) acc[i][j] = X::zero();
  if (finish.add) {
    KERASISH_UNROLL for (int i = 0; i < R; ++i)
      KERASISH_UNROLL for (int j = 0; j < V; ++j) {
        const T* from = y + i * y_pixel + j * X::lanes;
        acc[i][j] = j < V - 1 ? X::load(from) : X::load(from, last);
      }
  }
  for (int64_t s = 0; s < count; ++s, weights += depth * V * X::lanes) {
    if (!segments[s]) continue;
    const T* base[B];
    KERASISH_UNROLL for (int i = 0; i < B; ++i) base[i] = segments[s] + offset + G * i * pixel;
    const T* w = weights;
    for (int64_t k = 0; k < depth; ++k, w += V * X::lanes) {
      X right[V];
      KERASISH_UNROLL for (int j = 0; j < V; ++j) right[j] = X::load(w + j * X::lanes);
      KERASISH_UNROLL for (int i = 0; i < R; ++i) {
        X left = X::broadcast(base[i / G][(i % G) * pixel + k]);
        KERASISH_UNROLL for (int j = 0; j < V; ++j) acc[i][j] = fma(left, right[j], acc[i][j]);
      }
    }
  }
  if (finish.bias || finish.relu) {
    KERASISH_UNROLL for (int j = 0; j < V; ++j) {
      X bias = X::zero();
      if (finish.bias)
        bias = j < V - 1 ? X::load(finish.bias + j * X::lanes)
                         : X::load(finish.bias + j * X::lanes, last);
      KERASISH_UNROLL for (int i = 0; i < R; ++i) {
        acc[i][j] = acc[i][j] + bias;
        if (finish.relu) acc[i][j] = max(X::zero(), acc[i][j]);
      }
    }
  }
  const bool whole = columns == V * X::lanes;
  // The addresses above are not kept for this: registers are few.
  asm("" : "+r"(y));
  KERASISH_UNROLL for (int i = 0; i < R; ++i, y += y_pixel) {
    KERASISH_UNROLL for (int j = 0; j < V; ++j) {
      if (j < V - 1 || whole)
        acc[i][j].store(y + j * X::lanes);
      else
        acc[i][j].store(y + j * X::lanes, last);
    }
  }
}

template <class T>
using GradTile = void (*)(const T* const* xs, const T* const* gs, int64_t rows, int64_t stride,
                          int64_t offset, int64_t column, int64_t length, int64_t x_pixel,
                          int64_t g_pixel, T* out, int64_t pitch, int64_t columns, bool add);

// out[i, :] (+)= sum over rows and pixels p of xs[row * stride][offset + p * x_pixel + i]
// * gs[row][column + p * g_pixel ...]: R channels, V vectors of filters.
template <class T, int R, int V>
void grad_tile(const T* const* xs, const T* const* gs, int64_t rows, int64_t stride, int64_t offset,
               int64_t column, int64_t length, int64_t x_pixel, int64_t g_pixel, T* out,
               int64_t pitch, int64_t columns, bool add) {
  using X = Vec<T>;
  // A small tile waits for its own sums: it makes two of each, of every other pixel.
  constexpr int P = R * V <= 8 ? 2 : 1;
  X acc[R][V], sums[P][R][V];
  KERASISH_UNROLL for (int q = 0; q < P; ++q)
    KERASISH_UNROLL for (int i = 0; i < R; ++i)
      KERASISH_UNROLL for (int j = 0; j < V; ++j) sums[q][i][j] = X::zero();
  const auto pixel = [&](X(&sum)[R][V], const T* x, const T* g) __attribute__((always_inline)) {
    X right[V];
    KERASISH_UNROLL for (int j = 0; j < V; ++j) {
      right[j] = X::load(g + j * X::lanes);
      hold(right[j]);
    }
    KERASISH_UNROLL for (int i = 0; i < R; ++i) {
      X left = X::broadcast(x[i]);
      KERASISH_UNROLL for (int j = 0; j < V; ++j) sum[i][j] = fma(left, right[j], sum[i][j]);
    }
  };
  for (int64_t r = 0; r < rows; ++r) {
    const T* x = xs[r * stride];
    if (!x) continue;
    x += offset;
    const T* g = gs[r] + column;
    int64_t p = 0;
    for (; p + P <= length; p += P, x += P * x_pixel, g += P * g_pixel)
      KERASISH_UNROLL for (int q = 0; q < P; ++q) pixel(sums[q], x + q * x_pixel, g + q * g_pixel);
    if (P > 1 && p < length) pixel(sums[0], x, g);
  }
  KERASISH_UNROLL for (int i = 0; i < R; ++i)
    KERASISH_UNROLL for (int j = 0; j < V; ++j)
      acc[i][j] = P > 1 ? sums[0][i][j] + sums[P - 1][i][j] : sums[0][i][j];
  const auto last = X::mask(columns - (V - 1) * X::lanes);
  const bool whole = columns == V * X::lanes;
  KERASISH_UNROLL for (int i = 0; i < R; ++i) {
    KERASISH_UNROLL for (int j = 0; j < V; ++j) {
      T* to = out + i * pitch + j * X::lanes;
      if (j < V - 1 || whole) {
        if (add) acc[i][j] = acc[i][j] + X::load(to);
        acc[i][j].store(to);
      } else {
        if (add) acc[i][j] = acc[i][j] + X::load(to, last);
        acc[i][j].store(to, last);
      }
    }
  }
}

// The tile of `rows` rows and `vectors` vectors, 1 <= rows <= kRows[vectors]. One vector gives
// little work for each address: there the distance of pixels may be known.
template <class T, int V, int R>
ForwardTile<T> forward_of(int64_t rows, int64_t pixel) {
  if constexpr (R > 1)
    if (rows < R) return forward_of<T, V, R - 1>(rows, pixel);
  if constexpr (V == 1)
    if (pixel == Vec<T>::lanes) return forward_tile<T, R, V, Vec<T>::lanes>;
  return forward_tile<T, R, V, 0>;
}

template <class T, int V = kVectors>
ForwardTile<T> find_forward(int64_t vectors, int64_t rows, int64_t pixel) {
  if constexpr (V > 1)
    if (vectors < V) return find_forward<T, V - 1>(vectors, rows, pixel);
  return forward_of<T, V, kRows[V]>(rows, pixel);
}

template <class T, int V, int R>
GradTile<T> grad_of(int64_t rows) {
  if constexpr (R > 1)
    if (rows < R) return grad_of<T, V, R - 1>(rows);
  return grad_tile<T, R, V>;
}

template <class T, int V = kVectors>
GradTile<T> find_grad(int64_t vectors, int64_t rows) {
  if constexpr (V > 1)
    if (vectors < V) return find_grad<T, V - 1>(vectors, rows);
  return grad_of<T, V, kRows[V]>(rows);
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
