// Along one axis: sorting, the k largest, searching in what is sorted.
#include "axis.h"
#include "kernel.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

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

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(sort, {"sort", sort}, {"argsort", argsort}, {"top_k", top_k},
               {"searchsorted", searchsorted})
