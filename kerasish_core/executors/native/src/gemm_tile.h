// Tiles of a matrix product that stay in registers; only gemm.cpp includes it.
#pragma once

#include <cstdint>
#include <utility>

#include "simd.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

// Rows of the largest tile, which is two vectors wide, and rows up to which it may be four wide.
#if defined(KERASISH_SMALL_TILES)  // under sanitizers: all branches, a sixth of the code
constexpr int kRows = 2, kWideRows = 1;
#elif defined(KERASISH_ISA_AVX512)
constexpr int kRows = 14, kWideRows = 6;
#elif defined(KERASISH_ISA_AVX2)
constexpr int kRows = 6, kWideRows = 2;
#elif defined(__aarch64__)
constexpr int kRows = 12, kWideRows = 4;
#else
constexpr int kRows = 6, kWideRows = 2;
#endif
constexpr int kVectors = 2;
// Rows of B that are fetched into the cache before they are needed: hardware does not foresee
// steps of a whole row.
constexpr int kAhead = 12;

// How a tile reads B: in panels, which hardware fetches ahead; in place; in place up to its last
// column. AVX-512 masks loads for nothing: one tile serves all, a third of the code.
enum class Reads { panels, in_place, cut };
#if defined(KERASISH_ISA_AVX512)
constexpr bool kOneReads = true;
#else
constexpr bool kOneReads = false;
#endif

template <class T>
struct Tile {
  int64_t k;
  const T* a;
  int64_t a_step;  // between rows if rows are contiguous, else between columns
  const T* b;      // columns are contiguous
  int64_t b_step;
  int64_t ahead;  // what of B is fetched into the cache while it is not needed yet
  T* c;
  int64_t c_row;
  const T* add;
  int64_t add_row;
  const T* bias;
  int64_t columns;  // more than all vectors but one hold
  bool relu;
};

template <class T>
using TileKernel = void (*)(const Tile<T>&);

// Rows are addressed from every third one's pointer: few enough pointers for the registers.
template <class T, int R, int N, bool Transposed, Reads How, int U>
KERASISH_INLINE void multiply_column(Vec<T> (&acc)[R][N], const T* const (&a)[(R + 2) / 3],
                                     int64_t a_step, const T* b, int64_t ahead,
                                     typename Vec<T>::Mask tail) {
  using V = Vec<T>;
  V row[N];
  if (How != Reads::panels) {
#pragma GCC unroll 4
    for (int v = 0; v < N; v += 64 / static_cast<int>(sizeof(V)))
      __builtin_prefetch(b + ahead + v * V::lanes);
  }
#pragma GCC unroll 4
  for (int v = 0; v < N; ++v)
    row[v] = How == Reads::cut && v == N - 1 ? V::load(b + v * V::lanes, tail)
                                             : V::load(b + v * V::lanes);
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i) {
    V x = V::broadcast(Transposed ? a[0][i] : a[i / 3][(i % 3) * a_step + U]);
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) acc[i][v] = fma(x, row[v], acc[i][v]);
  }
}

template <class T, int R, int N>
KERASISH_INLINE void finish(Vec<T> (&acc)[R][N], const Tile<T>& t, typename Vec<T>::Mask tail) {
  using V = Vec<T>;
  constexpr int L = V::lanes;
  if (t.add) {
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v) {
        const T* p = t.add + i * t.add_row + v * L;
        acc[i][v] = acc[i][v] + (v == N - 1 ? V::load(p, tail) : V::load(p));
      }
  }
  if (t.bias) {
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) {
      V bias = v == N - 1 ? V::load(t.bias + v * L, tail) : V::load(t.bias + v * L);
#pragma GCC unroll 16
      for (int i = 0; i < R; ++i) acc[i][v] = acc[i][v] + bias;
    }
  }
  if (t.relu) {
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
      for (int v = 0; v < N; ++v) acc[i][v] = max(V::zero(), acc[i][v]);
  }
  bool full = t.columns == N * L;
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) {
      T* p = t.c + i * t.c_row + v * L;
      if (v < N - 1 || full)
        acc[i][v].store(p);
      else
        acc[i][v].store(p, tail);
    }
}

// Transposed: the columns of A are contiguous.
template <class T, int R, int N, bool Transposed, Reads How>
__attribute__((noinline)) void tile(const Tile<T>& t) {
  using V = Vec<T>;
  V acc[R][N];
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) acc[i][v] = V::zero();
  if (t.k > 64) {  // C comes from far away: ask for it early
#pragma GCC unroll 16
    for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
      for (int v = 0; v < N; v += 64 / static_cast<int>(sizeof(V)))
        __builtin_prefetch(t.c + i * t.c_row + v * V::lanes, 1);
  }
  typename V::Mask tail = V::mask(t.columns - (N - 1) * V::lanes);
  int64_t k = t.k, a_step = t.a_step, b_step = t.b_step, ahead = t.ahead;
  const T* b = t.b;
  const T* a[(R + 2) / 3];
#pragma GCC unroll 16
  for (int j = 0; j < (R + 2) / 3; ++j) a[j] = t.a + (Transposed ? 0 : 3 * j * a_step);
// The empty asm hides what the compiler knows of the addresses: it would keep each sum of them in a
// register of its own, more than there are.
#define KERASISH_COLUMN(U)                                                      \
  multiply_column<T, R, N, Transposed, How, U>(acc, a, a_step, b, ahead, tail); \
  if (Transposed) a[0] += a_step;                                               \
  b += b_step;                                                                  \
  asm volatile("" : "+r"(b), "+r"(a_step))
  for (; k >= 4; k -= 4) {
    KERASISH_COLUMN(0);
    KERASISH_COLUMN(1);
    KERASISH_COLUMN(2);
    KERASISH_COLUMN(3);
    if (!Transposed) {
#pragma GCC unroll 16
      for (int j = 0; j < (R + 2) / 3; ++j) {
        a[j] += 4;
        asm volatile("" : "+r"(a[j]));
      }
    }
  }
  for (; k > 0; --k) {
    KERASISH_COLUMN(0);
    if (!Transposed) {
#pragma GCC unroll 16
      for (int j = 0; j < (R + 2) / 3; ++j) ++a[j];
    }
  }
#undef KERASISH_COLUMN
  finish<T, R, N>(acc, t, tail);
}

// A full tile of two packed operands, rows of A and vectors of B one after another: all steps are
// known, so that nothing but the loop's end takes turns with the multiplications.
template <class T>
__attribute__((noinline)) void packed_tile(const Tile<T>& t) {
  using V = Vec<T>;
  constexpr int R = kRows, N = kVectors, W = N * V::lanes;
  V acc[R][N];
#pragma GCC unroll 16
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int v = 0; v < N; ++v) acc[i][v] = V::zero();
  const T *a = t.a, *b = t.b, *c = t.c;
  const typename V::Mask all = V::mask(V::lanes);
  auto column = [&](int u) __attribute__((always_inline)) {
    const T* const rows[(R + 2) / 3] = {a + u * R};
    multiply_column<T, R, N, true, Reads::in_place, 0>(acc, rows, R, b + u * W, kAhead * W, all);
    asm volatile("" ::: "memory");  // one column after another
  };
  int64_t k = t.k, rest = R - 1;
  for (; k >= 8; k -= 8) {
#pragma GCC unroll 8
    for (int u = 0; u < 8; ++u) column(u);
    a += 8 * R;
    b += 8 * W;
    // A row of C at a time: all at once would keep B from coming.
#pragma GCC unroll 4
    for (int v = 0; v < N; v += 64 / static_cast<int>(sizeof(V)))
      __builtin_prefetch(c + v * V::lanes, 1);
    c += rest > 0 ? t.c_row : 0;
    --rest;
  }
  for (; k > 0; --k) {
    column(0);
    a += R;
    b += W;
  }
  finish<T, R, N>(acc, t, V::mask(t.columns - (N - 1) * V::lanes));
}

using AllRows = std::make_integer_sequence<int, kRows>;
using WideRows = std::make_integer_sequence<int, kWideRows>;

template <class T, int N, bool Transposed, Reads How, int... R>
TileKernel<T> pick(int64_t rows, std::integer_sequence<int, R...>) {
  static constexpr TileKernel<T> kernels[] = {tile<T, R + 1, N, Transposed, How>...};
  return kernels[rows - 1];
}

template <class T, bool Transposed, Reads How>
TileKernel<T> pick(int64_t rows, int64_t vectors) {
  if (vectors == 1) return pick<T, 1, Transposed, How>(rows, AllRows{});
  if (vectors == 2) return pick<T, 2, Transposed, How>(rows, AllRows{});
  return pick<T, 4, Transposed, How>(rows, WideRows{});
}

template <class T, Reads How>
TileKernel<T> pick(int64_t rows, int64_t vectors, bool transposed) {
  return transposed ? pick<T, true, How>(rows, vectors) : pick<T, false, How>(rows, vectors);
}

template <class T>
TileKernel<T> pick(int64_t rows, int64_t vectors, bool transposed, Reads how) {
  if constexpr (!kOneReads) {
    if (how == Reads::panels) return pick<T, Reads::panels>(rows, vectors, transposed);
    if (how == Reads::in_place) return pick<T, Reads::in_place>(rows, vectors, transposed);
  }
  return pick<T, Reads::cut>(rows, vectors, transposed);
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
