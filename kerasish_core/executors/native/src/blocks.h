// Copies of blocks: an array of any rank from one layout to another.
#pragma once

#include "kernel.h"
#include "types.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int kMostAxes = 32;

// Steps along each axis in elements.
struct Block {
  int rank;
  int64_t shape[kMostAxes], from[kMostAxes], to[kMostAxes];
};

struct Wide {
  int64_t low, high;
};

// ---- runs of bytes

template <class V>
inline void move_one(char* target, const char* source) {
  V held;
  __builtin_memcpy(&held, source, sizeof held);
  __builtin_memcpy(target, &held, sizeof held);
}

typedef int64_t Two __attribute__((vector_size(16)));
typedef int64_t Four __attribute__((vector_size(32)));

// memcpy without a call where the run is short; the last part may overlap the one before it.
inline void copy_run(char* target, const char* source, int64_t bytes) {
  if (bytes > 1024) {
    __builtin_memcpy(target, source, static_cast<size_t>(bytes));
  } else if (bytes >= 32) {
    for (int64_t i = 0; i + 32 <= bytes; i += 32) move_one<Four>(target + i, source + i);
    move_one<Four>(target + bytes - 32, source + bytes - 32);
  } else if (bytes >= 16) {
    move_one<Two>(target, source);
    move_one<Two>(target + bytes - 16, source + bytes - 16);
  } else if (bytes >= 8) {
    move_one<int64_t>(target, source);
    move_one<int64_t>(target + bytes - 8, source + bytes - 8);
  } else if (bytes >= 4) {
    move_one<int32_t>(target, source);
    move_one<int32_t>(target + bytes - 4, source + bytes - 4);
  } else {
    for (int64_t i = 0; i < bytes; ++i) target[i] = source[i];
  }
}

// ---- stores past the cache
//
// What is larger than the cache is written without being read before, which saves a third of the
// traffic. Each thread orders such stores by `settle` when it is done.

constexpr int64_t kStreamed = 8 << 20;  // bytes

inline bool is_line(const void* p) { return reinterpret_cast<uintptr_t>(p) % 64 == 0; }

inline void stream_line(char* target, const char* source) {
#if defined(__SSE2__)
  for (int i = 0; i < 64; i += 16) {
    __m128i held = _mm_loadu_si128(reinterpret_cast<const __m128i*>(source + i));
    _mm_stream_si128(reinterpret_cast<__m128i*>(target + i), held);
  }
#else
  __builtin_memcpy(target, source, 64);
#endif
}

inline void stream_run(char* target, const char* source, int64_t bytes) {
  if (bytes < 256) return copy_run(target, source, bytes);
  int64_t head = -reinterpret_cast<intptr_t>(target) & 63;
  copy_run(target, source, head);
  for (; head + 64 <= bytes; head += 64) stream_line(target + head, source + head);
  copy_run(target + head, source + head, bytes - head);
}

inline void settle() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

// ---- transposition

template <class T>
struct Lanes;
template <>
struct Lanes<int8_t> {
  typedef int8_t Vector __attribute__((vector_size(16)));
};
template <>
struct Lanes<int16_t> {
  typedef int16_t Vector __attribute__((vector_size(16)));
};
template <>
struct Lanes<int32_t> {
  typedef int32_t Vector __attribute__((vector_size(16)));
};
template <>
struct Lanes<int64_t> {
  typedef int64_t Vector __attribute__((vector_size(16)));
};
template <>
struct Lanes<Wide> {
  typedef Two Vector;
};

// The lower or upper halves of two vectors, element by element in turn.
template <class V>
inline V low(V a, V b) {
  if constexpr (sizeof(a[0]) == 1)
    return KERASISH_SHUFFLE(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  else if constexpr (sizeof(a[0]) == 2)
    return KERASISH_SHUFFLE(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  else if constexpr (sizeof(a[0]) == 4)
    return KERASISH_SHUFFLE(a, b, 0, 4, 1, 5);
  else
    return KERASISH_SHUFFLE(a, b, 0, 2);
}
template <class V>
inline V high(V a, V b) {
  if constexpr (sizeof(a[0]) == 1)
    return KERASISH_SHUFFLE(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  else if constexpr (sizeof(a[0]) == 2)
    return KERASISH_SHUFFLE(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  else if constexpr (sizeof(a[0]) == 4)
    return KERASISH_SHUFFLE(a, b, 2, 6, 3, 7);
  else
    return KERASISH_SHUFFLE(a, b, 1, 3);
}

// A square of as many vectors as one has lanes: each round weaves the rows of its two halves.
template <class V, int N>
inline void transpose_square(V (&rows)[N]) {
#pragma GCC unroll 4
  for (int round = 1; round < N; round *= 2) {
    V woven[N];
#pragma GCC unroll 16
    for (int i = 0; i < N / 2; ++i) {
      woven[2 * i] = low(rows[i], rows[i + N / 2]);
      woven[2 * i + 1] = high(rows[i], rows[i + N / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) rows[i] = woven[i];
  }
}

// target[i * to + j] = source[i + j * from] for a square of 64 bytes by 64 bytes. It is turned in
// a buffer, so that whole lines are read and whole lines written. The next rows of the target are
// fetched meanwhile: waiting for each line to be owned takes three times as long as all else.
template <bool streamed, class T>
inline void transpose_lines(const T* source, int64_t from, T* target, int64_t to) {
  using V = typename Lanes<T>::Vector;
  constexpr int lanes = 16 / sizeof(T), side = 64 / sizeof(T);
  alignas(64) T buffer[side * side];
  for (int j = 0; j < side; j += lanes) {
    if constexpr (!streamed)
      for (int n = 0; n < lanes; ++n) __builtin_prefetch(target + (side + j + n) * to, 1);
    for (int i = 0; i < side; i += lanes) {
      V rows[lanes];
      for (int n = 0; n < lanes; ++n)
        __builtin_memcpy(&rows[n], source + (j + n) * from + i, sizeof(V));
      if constexpr (lanes > 1) transpose_square<V, lanes>(rows);
      for (int n = 0; n < lanes; ++n)
        __builtin_memcpy(buffer + (i + n) * side + j, &rows[n], sizeof(V));
    }
  }
  for (int i = 0; i < side; ++i) {
    if constexpr (streamed) {
      stream_line(reinterpret_cast<char*>(target + i * to),
                  reinterpret_cast<const char*>(buffer + i * side));
    } else {
      __builtin_memcpy(target + i * to, buffer + i * side, 64);
    }
  }
}

template <class T>
inline void transpose_edge(const T* source, int64_t step, int64_t from, T* target, int64_t to,
                           int64_t rows, int64_t columns) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) target[i * to + j] = source[i * step + j * from];
}

// target[i * to + j] = source[i * step + j * from]. In the cache, a few rows of the target at a
// time; past it, unless they are short, a few rows of the source: only reading is fetched ahead
// by the machine.
template <bool streamed, class T>
void transpose_plane(const T* source, int64_t step, int64_t from, T* target, int64_t to,
                     int64_t rows, int64_t columns) {
  constexpr int64_t side = 64 / sizeof(T);
  const int64_t tile = streamed && columns * int64_t(sizeof(T)) > 4096 ? 32 * side : side;
  for (int64_t i0 = 0; i0 < rows; i0 += tile) {
    int64_t i1 = i0 + tile < rows ? i0 + tile : rows;
    for (int64_t j = 0; j < columns; j += side) {
      int64_t width = j + side < columns ? side : columns - j;
      for (int64_t i = i0; i < i1; i += side) {
        int64_t height = i + side < i1 ? side : i1 - i;
        const T* s = source + i * step + j * from;
        T* t = target + i * to + j;
        if (step == 1 && width == side && height == side)
          transpose_lines<streamed>(s, from, t, to);
        else
          transpose_edge(s, step, from, t, to, height, width);
      }
    }
  }
}

// ---- blocks

// Axes of one element dropped, and axes that follow each other in both layouts made one.
inline void collapse(Block& block) {
  int rank = 0;
  for (int axis = 0; axis < block.rank; ++axis) {
    int64_t size = block.shape[axis], from = block.from[axis], to = block.to[axis];
    if (size == 1) continue;
    int last = rank - 1;
    if (rank && block.from[last] == from * size && block.to[last] == to * size) {
      block.shape[last] *= size;
      block.from[last] = from;
      block.to[last] = to;
    } else {
      block.shape[rank] = size;
      block.from[rank] = from;
      block.to[rank++] = to;
    }
  }
  block.rank = rank;
}

inline int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }

template <bool streamed = false, class T>
inline void copy_line(const T* source, int64_t from, T* target, int64_t to, int64_t count) {
  if (from == 1 && to == 1) {
    constexpr auto run = streamed ? stream_run : copy_run;
    run(reinterpret_cast<char*>(target), reinterpret_cast<const char*>(source),
        count * static_cast<int64_t>(sizeof(T)));
  } else if (from == 0 && to == 1) {
    T value = *source;
    for (int64_t i = 0; i < count; ++i) target[i] = value;
  } else if (from == -1 && to == 1) {
    for (int64_t i = 0; i < count; ++i) target[i] = source[-i];
  } else {
    for (int64_t i = 0; i < count; ++i) target[i * to] = source[i * from];
  }
}

// Calls body(source, target) for each place of the axes [0, rank) but one.
template <class T, class F>
inline void each_place(const Block& block, int rank, int without, const T* source, T* target,
                       const F& body) {
  int64_t index[kMostAxes] = {};
  for (;;) {
    body(source, target);
    int axis = rank - 1;
    for (; axis >= 0; --axis) {
      if (axis == without) continue;
      source += block.from[axis];
      target += block.to[axis];
      if (++index[axis] < block.shape[axis]) break;
      source -= block.from[axis] * block.shape[axis];
      target -= block.to[axis] * block.shape[axis];
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

// A collapsed block on one thread.
template <bool streamed, class T>
void copy_serial(const Block& block, const T* source, T* target) {
  int rank = block.rank, last = rank - 1;
  for (int axis = 0; axis < rank; ++axis)
    if (block.shape[axis] == 0) return;
  if (rank == 0) {
    *target = *source;
    return;
  }
  int64_t count = block.shape[last], from = block.from[last], to = block.to[last];
  // The axis along which the source lies closest, if it is not the last one.
  int near = -1;
  if (to == 1 && magnitude(from) > 1)
    for (int axis = 0; axis < last; ++axis)
      if (block.from[axis] != 0 && magnitude(block.from[axis]) < magnitude(from) &&
          (near < 0 || magnitude(block.from[axis]) < magnitude(block.from[near])))
        near = axis;
  if (near >= 0) {
    each_place(block, last, near, source, target, [&](const T* s, T* t) {
      bool lines = streamed && is_line(t) && block.to[near] * int64_t(sizeof(T)) % 64 == 0;
      if (lines)
        transpose_plane<streamed>(s, block.from[near], from, t, block.to[near], block.shape[near],
                                  count);
      else
        transpose_plane<false>(s, block.from[near], from, t, block.to[near], block.shape[near],
                               count);
    });
    return;
  }
  if (rank == 1) return copy_line<streamed>(source, from, target, to, count);
  int64_t rows = block.shape[last - 1];
  int64_t row_from = block.from[last - 1], row_to = block.to[last - 1];
  each_place(block, last - 1, -1, source, target, [&](const T* s, T* t) {
    for (int64_t i = 0; i < rows; ++i)
      copy_line<streamed>(s + i * row_from, from, t + i * row_to, to, count);
  });
}

// Bytes that one piece of work copies.
constexpr int64_t kPiece = 256 * 1024;

// A block cut along one axis, by its size alone.
template <class T>
void copy_block(Pool* pool, Block block, const T* source, T* target) {
  collapse(block);
  int64_t bytes = sizeof(T);
  for (int axis = 0; axis < block.rank; ++axis) bytes *= block.shape[axis];
  int64_t wanted = bytes / kPiece;
  if (wanted < 2) return copy_serial<false>(block, source, target);
  int cut = 0;
  for (int axis = 0; axis < block.rank; ++axis) {
    if (block.shape[axis] > block.shape[cut]) cut = axis;
    if (block.shape[axis] >= wanted) {
      cut = axis;
      break;
    }
  }
  int64_t size = block.shape[cut];
  int64_t length = (size + wanted - 1) / wanted;
  length = (length + 15) / 16 * 16 < size ? (length + 15) / 16 * 16 : length;
  parallel_for(pool, (size + length - 1) / length, [&](int64_t i) {
    Block part = block;
    int64_t first = i * length;
    part.shape[cut] = first + length < size ? length : size - first;
    const T* from = source + first * block.from[cut];
    T* to = target + first * block.to[cut];
    if (bytes < kStreamed) return copy_serial<false>(part, from, to);
    copy_serial<true>(part, from, to);
    settle();
  });
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
