// Transforms of Winograd's minimal filtering over tiles of 6 x 6 pixels.
//
// A window of R by R taps moved over a tile of 6 x 6 pixels gives M x M sums, M = 7 - R. Both factors
// are taken as polynomials and evaluated at 6 points per axis, 0, a, -a, b, -b and infinity; their
// products, 36 for each tile, channel and filter, are polynomials' values again, of which the sums
// are read off. Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, Fast
// algorithms for convolutional neural networks, 2015. With a = 5/8 and b = 3/2, found by trying, the
// error of float32 is about that of adding the products one by one (docs/decisions/0007).
#pragma once

#include "conv_tile.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int kEdge = 6, kPlanes = kEdge * kEdge;
constexpr float kA = 0.625f, kB = 1.5f, kA2 = kA * kA, kB2 = kB * kB;

// What the values at 0, +-a and +-b are divided by: the distances to all other points, multiplied.
struct Divided {
  static constexpr double zero = 1.0 / (double(kA2) * kB2);
  static constexpr double a = 1.0 / (2.0 * kA2 * (double(kA2) - kB2));
  static constexpr double b = 1.0 / (2.0 * kB2 * (double(kB2) - kA2));
};
struct Plain {
  static constexpr double zero = 1, a = 1, b = 1;
};

constexpr float power(double x, int n, double scale) {
  for (int i = 0; i < n; ++i) scale *= x;
  return static_cast<float>(scale);
}

// Six pixels, as the transposed problem sees them.
template <class X>
KERASISH_INLINE void pixels_to_points(const X (&d)[kEdge], X (&p)[kEdge]) {
  const X a = X::broadcast(kA), minus_a = X::broadcast(-kA), b = X::broadcast(kB);
  const X minus_b = X::broadcast(-kB), minus_a2 = X::broadcast(-kA2), minus_b2 = X::broadcast(-kB2);
  const X both = X::broadcast(kA2 * kB2), sum = X::broadcast(-kA2 - kB2);
  p[0] = fma(both, d[0], fma(sum, d[2], d[4]));
  p[5] = fma(both, d[1], fma(sum, d[3], d[5]));
  X even = fma(minus_b2, d[2], d[4]), odd = fma(minus_b2, d[1], d[3]);
  p[1] = fma(a, odd, even);
  p[2] = fma(minus_a, odd, even);
  even = fma(minus_a2, d[2], d[4]), odd = fma(minus_a2, d[1], d[3]);
  p[3] = fma(b, odd, even);
  p[4] = fma(minus_b, odd, even);
}

// Its transpose.
template <class X>
KERASISH_INLINE void points_to_pixels(const X (&p)[kEdge], X (&d)[kEdge]) {
  const X a = X::broadcast(kA), b = X::broadcast(kB), sum = X::broadcast(-kA2 - kB2);
  const X minus_a2 = X::broadcast(-kA2), minus_b2 = X::broadcast(-kB2);
  const X both = X::broadcast(kA2 * kB2), minus_ab2 = X::broadcast(-kA * kB2);
  const X minus_ba2 = X::broadcast(-kB * kA2);
  const X s = p[1] + p[2], t = p[3] + p[4], u = p[1] - p[2], v = p[3] - p[4];
  d[0] = both * p[0];
  d[1] = fma(both, p[5], fma(minus_ab2, u, minus_ba2 * v));
  d[2] = fma(sum, p[0], fma(minus_b2, s, minus_a2 * t));
  d[3] = fma(sum, p[5], fma(a, u, b * v));
  d[4] = p[0] + (s + t);
  d[5] = p[5];
}

// The polynomial of K coefficients at the six points, over Scale.
template <int K, class Scale, class X>
KERASISH_INLINE void evaluate(const X (&c)[K], X (&p)[kEdge]) {
  p[0] = Scale::zero == 1 ? c[0] : c[0] * X::broadcast(static_cast<float>(Scale::zero));
  p[5] = c[K - 1];
  KERASISH_UNROLL for (int i = 0; i < 2; ++i) {
    const double point = i ? kB : kA, scale = i ? Scale::b : Scale::a;
    X even = c[0] * X::broadcast(power(point, 0, scale));
    X odd = c[1] * X::broadcast(power(point, 1, scale));
    KERASISH_UNROLL for (int k = 2; k < K; k += 2) {
      even = fma(c[k], X::broadcast(power(point, k, scale)), even);
      if (k + 1 < K) odd = fma(c[k + 1], X::broadcast(power(point, k + 1, scale)), odd);
    }
    p[1 + 2 * i] = even + odd;
    p[2 + 2 * i] = even - odd;
  }
}

// The transposed evaluation: sum over points of value times point^k, for k < K.
template <int K, class Scale, class X>
KERASISH_INLINE void collect(const X (&p)[kEdge], X (&c)[K]) {
  const X sums[2] = {p[1] + p[2], p[3] + p[4]}, differences[2] = {p[1] - p[2], p[3] - p[4]};
  KERASISH_UNROLL for (int k = 0; k < K; ++k) {
    const X* const part = k % 2 ? differences : sums;
    X total = part[0] * X::broadcast(power(kA, k, Scale::a));
    if (k == 0) total = fma(p[0], X::broadcast(static_cast<float>(Scale::zero)), total);
    if (k == K - 1) total = total + p[5];
    c[k] = fma(part[1], X::broadcast(power(kB, k, Scale::b)), total);
  }
}

// What is done to a tile: `In` by `In` vectors become `Out` by `Out`.
template <class X>
struct PixelsToPoints {
  static constexpr int in = kEdge, out = kEdge;
  static KERASISH_INLINE void one(const X (&a)[in], X (&b)[out]) { pixels_to_points(a, b); }
};
template <class X>
struct PointsToPixels {
  static constexpr int in = kEdge, out = kEdge;
  static KERASISH_INLINE void one(const X (&a)[in], X (&b)[out]) { points_to_pixels(a, b); }
};
template <class X, int K, class Scale>
struct Evaluate {
  static constexpr int in = K, out = kEdge;
  static KERASISH_INLINE void one(const X (&a)[in], X (&b)[out]) { evaluate<K, Scale>(a, b); }
};
template <class X, int K, class Scale>
struct Collect {
  static constexpr int in = kEdge, out = K;
  static KERASISH_INLINE void one(const X (&a)[in], X (&b)[out]) { collect<K, Scale>(a, b); }
};

// Both axes of a tile of vectors, the columns and then the rows: load(i, j) gives what is read,
// store(i, j, x) takes what is made.
template <class Turn, class Load, class Store>
KERASISH_INLINE void turn(const Load& load, const Store& store) {
  constexpr int In = Turn::in, Out = Turn::out;
  using X = Vec<float>;
  X half[Out][In];
  KERASISH_UNROLL for (int j = 0; j < In; ++j) {
    X column[In], turned[Out];
    KERASISH_UNROLL for (int i = 0; i < In; ++i) column[i] = load(i, j);
    Turn::one(column, turned);
    KERASISH_UNROLL for (int i = 0; i < Out; ++i) half[i][j] = turned[i];
  }
  KERASISH_UNROLL for (int i = 0; i < Out; ++i) {
    X turned[Out];
    Turn::one(half[i], turned);
    KERASISH_UNROLL for (int j = 0; j < Out; ++j) store(i, j, turned[j]);
  }
}

// Values of tiles at the points: [plane][tile][channel], rows of whole vectors. A line between the
// planes keeps those of one tile from falling into one set of the cache.
struct Planes {
  float* memory;
  int64_t channels, apart;  // floats from plane to plane

  static int64_t apart_of(int64_t tiles, int64_t channels) { return tiles * channels + 16; }
  float* at(int64_t plane, int64_t tile) const {
    return memory + plane * apart + tile * channels;
  }
};

// Images cut into tiles whose corners lie `step` apart, the first at -pad.
struct Tiling {
  int64_t n, tall, wide, step, pad_y, pad_x;
  int64_t height, width, channels;  // of the image

  int64_t count() const { return n * tall * wide; }

  // Calls f(i, image, y, x) for the tiles from first to last, i from 0.
  template <class F>
  KERASISH_INLINE void each(int64_t first, int64_t last, const F& f) const {
    int64_t tx = first % wide, rest = first / wide, ty = rest % tall, image = rest / tall;
    for (int64_t i = 0; i < last - first; ++i) {
      f(i, image, ty * step - pad_y, tx * step - pad_x);
      if (++tx < wide) continue;
      tx = 0;
      if (++ty == tall) ty = 0, ++image;
    }
  }

  // Addresses of E x E pixels of one image from (y, x); `nothing` for those outside.
  template <int E>
  KERASISH_INLINE void find(const float* images, const float* nothing, int64_t image, int64_t y,
                            int64_t x, const float* (&at)[E][E]) const {
    const float* const from = images + ((image * height + y) * width + x) * channels;
    if (y >= 0 && x >= 0 && y + E <= height && x + E <= width) {
      KERASISH_UNROLL for (int i = 0; i < E; ++i)
        KERASISH_UNROLL for (int j = 0; j < E; ++j) at[i][j] = from + (i * width + j) * channels;
      return;
    }
    bool columns[E];
    KERASISH_UNROLL for (int j = 0; j < E; ++j) columns[j] = x + j >= 0 && x + j < width;
    KERASISH_UNROLL for (int i = 0; i < E; ++i) {
      const bool row = y + i >= 0 && y + i < height;
      KERASISH_UNROLL for (int j = 0; j < E; ++j)
        at[i][j] = row & columns[j] ? from + (i * width + j) * channels : nothing;
    }
  }
};

// Tiles of pixels, turned and stored by planes.
template <class Turn>
void fill_planes(const Tiling& tiling, const float* images, const float* nothing, int64_t first,
                 int64_t last, const Planes& planes) {
  using X = Vec<float>;
  constexpr int E = Turn::in;
  tiling.each(first, last, [&](int64_t tile, int64_t image, int64_t y, int64_t x) {
    const float* at[E][E];
    tiling.find<E>(images, nothing, image, y, x, at);
    float* const to = planes.at(0, tile);
    const auto store = [&](int64_t c) {
      return [=](int i, int j, X value) { value.store(to + c + (i * kEdge + j) * planes.apart); };
    };
    int64_t c = 0;
    for (; c + X::lanes <= tiling.channels; c += X::lanes)
      turn<Turn>([&](int i, int j) { return X::load(at[i][j] + c); }, store(c));
    if (c == tiling.channels) return;
    const auto mask = X::mask(tiling.channels - c);
    turn<Turn>([&](int i, int j) { return X::load(at[i][j] + c, mask); }, store(c));
  });
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
