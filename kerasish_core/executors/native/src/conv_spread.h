// Convolutions that write few channels. Vectors of channels written would fill few lanes: here the
// lanes are taps times channels. Each pixel read is multiplied with all taps at once, in a matrix
// product, and each output adds up the products that belong to it.
//
// Products are kept by rows of input, in a ring as long as a window is high.
#pragma once

#include "conv_geometry.h"
#include "conv_tile.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

// The most products that the ring may hold.
constexpr int64_t kMostRing = int64_t(1) << 22;
// The most channels written.
constexpr int kWidest = 16;

// Output o adds tap i of pixel (o + first + i * gap) / step, where that is whole and exists.
struct SpreadAxis {
  int64_t in, out, taps, first, gap, step;

  // The number of the pixel, or -1.
  int64_t pixel(int64_t o, int64_t i) const {
    const int64_t at = o + first + i * gap;
    return at < 0 || remainder(at, step) || quotient(at, step) >= in ? -1 : quotient(at, step);
  }
  // Pixels from the first to the last that neighbouring outputs read, existing or not.
  int64_t low(int64_t o) const { return below(o + first + least(0, (taps - 1) * gap)); }
  int64_t high(int64_t o) const { return below(o + first + most(0, (taps - 1) * gap)); }
  int64_t span() const { return quotient((taps - 1) * (gap < 0 ? -gap : gap), step) + 1; }

  int64_t below(int64_t at) const { return at < 0 ? -parts(-at, step) : quotient(at, step); }
};

template <class T>
struct Spread {
  const T *x, *kernel;
  T *y, *packed;
  const T* bias;  // or null
  bool relu;
  int64_t n, depth, width;       // channels read and written
  SpreadAxis z, r, w;            // r: rows of a slice
  int64_t tap, k_step, j_step;   // strides in the kernel: taps, channels read, channels written

  int64_t taps() const { return z.taps * r.taps * w.taps; }
  int64_t pitch() const { return round_up(taps() * width, Vec<T>::lanes); }  // of a pixel
  int64_t rows() const { return n * z.out * r.out; }
  int64_t ring() const { return (z.span() - 1) * r.in + r.span(); }
  // Outputs of a row that are made in a turn.
  int64_t length() const { return most(64, quotient(kTaskNumbers, ring() * pitch())) * w.step; }

  // Whether this costs fewer vector operations than a vector of channels written for each tap.
  bool suits() const {
    if (width == 0 || width > Vec<T>::lanes) return false;
    if (ring() * least(length(), w.out) * pitch() > kMostRing) return false;
    const int64_t read = n * z.in * r.in * w.in, made = rows() * w.out;
    return depth * (pitch() / Vec<T>::lanes) * read + 2 * (taps() * least(read, made) + made) <
           depth * taps() * least(read, made);
  }
};

// Copies the kernel: panels of [channel read][tap, channel written], zero beyond the last.
template <class T>
void pack(const Spread<T>& s) {
  const int64_t terms = s.taps() * s.width, wide = kVectors * Vec<T>::lanes;
  T* to = s.packed;
  for (int64_t from = 0; from < s.pitch(); from += wide) {
    const int64_t lanes = least(wide, s.pitch() - from);
    for (int64_t k = 0; k < s.depth; ++k, to += lanes) {
      int64_t tap = quotient(from, s.width), j = remainder(from, s.width);
      for (int64_t i = 0; i < lanes; ++i) {
        to[i] = from + i < terms ? s.kernel[tap * s.tap + k * s.k_step + j * s.j_step] : T(0);
        if (++j == s.width) j = 0, ++tap;
      }
    }
  }
}

// The products of `count` pixels with all taps: to[pixel * pitch + tap * width + channel].
template <class T>
void products(const Spread<T>& s, const T* x, int64_t count, T* to, Ahead& ahead) {
  const int64_t lanes = Vec<T>::lanes, pitch = s.pitch();
  const T* weights = s.packed;
  for (int64_t from = 0; from < pitch; from += kVectors * lanes) {
    const int64_t vectors = least(kVectors, (pitch - from) / lanes);
    const Pieces pieces(count, kRows[vectors]);
    const ForwardTile<T> small = find_forward<T>(vectors, pieces.small, s.depth);
    const ForwardTile<T> larger = find_forward<T>(vectors, pieces.size(0), s.depth);
    int64_t at = 0;
    for (int64_t i = 0; i < pieces.count; ++i) {
      ahead.step();
      (i < pieces.larger ? larger : small)(&x, 1, at * s.depth, s.depth, s.depth, weights,
                                           to + at * pitch + from, pitch, vectors * lanes,
                                           {nullptr, false, false});
      at += pieces.size(i);
    }
    weights += s.depth * vectors * lanes;
  }
}

// N numbers side by side, of which the first are channels: narrow vectors, which seldom cross lines
// of the cache.
template <class T, int N>
struct Group {
  typedef T Lanes __attribute__((vector_size(N * sizeof(T))));
};

// Writes the first `count` of N numbers.
template <class T, int N>
KERASISH_INLINE void write_first(const typename Group<T, N>::Lanes& all, int64_t count, T* to) {
  T each[N];
  __builtin_memcpy(each, &all, sizeof all);
  int64_t at = 0;
  KERASISH_UNROLL for (int some = N / 2; some; some /= 2) {
    if (!(count & some)) continue;
    __builtin_memcpy(to + at, each + at, static_cast<size_t>(some) * sizeof(T));
    at += some;
  }
}

// y[i * apart, :] = sum over the places of place[i * pitch, :], for outputs i .. i + P. Where
// outputs lie side by side, all but the last are written beyond their channels before the next one.
template <class T, int N, int P>
KERASISH_INLINE void add_up(const Spread<T>& s, const T* const* places, int64_t found, int64_t i,
                            T* y, int64_t apart, const typename Group<T, N>::Lanes& bias) {
  using Lanes = typename Group<T, N>::Lanes;
  const int64_t pitch = s.pitch();
  Lanes sum[P];
  KERASISH_UNROLL for (int p = 0; p < P; ++p) sum[p] = Lanes{};
  for (int64_t t = 0; t < found; ++t) {
    const T* from = places[t] + i * pitch;
    KERASISH_UNROLL for (int p = 0; p < P; ++p) {
      Lanes more;
      __builtin_memcpy(&more, from + p * pitch, sizeof more);
      sum[p] += more;
    }
  }
  const bool close = apart == s.width;
  KERASISH_UNROLL for (int p = 0; p < P; ++p) {
    if (s.bias) sum[p] += bias;
    if (s.relu) sum[p] = sum[p] < 0 ? Lanes{} : sum[p];
    T* to = y + (i + p) * apart;
    if (s.width == N || (close && p < P - 1)) {
      __builtin_memcpy(to, &sum[p], sizeof sum[p]);
    } else {
      write_first<T, N>(sum[p], s.width, to);
    }
  }
}

template <class T, int N>
void add_up_groups(const Spread<T>& s, const T* const* places, int64_t found, int64_t count, T* y,
                   int64_t apart) {
  typename Group<T, N>::Lanes bias = {};
  if (s.bias)
    for (int64_t j = 0; j < s.width; ++j) bias[j] = s.bias[j];
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) add_up<T, N, 8>(s, places, found, i, y, apart, bias);
  for (; i < count; ++i) add_up<T, N, 1>(s, places, found, i, y, apart, bias);
}

// By the narrowest groups, of N numbers or more, that hold the channels; no wider than a vector.
template <class T, int N>
void add_up_all(const Spread<T>& s, const T* const* places, int64_t found, int64_t count, T* y,
                int64_t apart) {
  if constexpr (2 * N <= Vec<T>::lanes)
    if (s.width > N) return add_up_all<T, 2 * N>(s, places, found, count, y, apart);
  add_up_groups<T, N>(s, places, found, count, y, apart);
}

// Products of one channel in another order: to[tap * plane + pixel].
template <class T>
void turn(const T* from, int64_t pitch, int64_t count, T* to, int64_t plane) {
  constexpr int64_t L = Vec<T>::lanes;
  for (int64_t i = 0; i < count; i += L) {
    const int64_t some = least(L, count - i);
    copy_turned(from + i * pitch, pitch, some, pitch, to + i, plane, Vec<T>::mask(some));
  }
}

// As `add_up_groups` for products of one channel, a vector of outputs at a time.
template <class T>
void add_up_single(const Spread<T>& s, const T* const* places, int64_t found, int64_t count, T* y,
                   int64_t apart) {
  using X = Vec<T>;
  for (int64_t i = 0; i < count; i += X::lanes) {
    const int64_t some = least(X::lanes, count - i);
    const auto mask = X::mask(some);
    X sum = X::zero();
    for (int64_t t = 0; t < found; ++t) sum = sum + X::load(places[t] + i, mask);
    if (s.bias) sum = sum + X::broadcast(*s.bias);
    if (s.relu) sum = max(X::zero(), sum);
    if (apart == 1) {
      sum.store(y + i, mask);
      continue;
    }
    T each[X::lanes];
    sum.store(each);
    for (int64_t j = 0; j < some; ++j) y[(i + j) * apart] = each[j];
  }
}

// The products of the rows that an output row adds from, for outputs x0 .. x1 of a row.
template <class T>
class Ring {
 public:
  Ring(const Spread<T>& s, const Block& b)
      : s_(s), slots_(s.ring()), low_(s.w.low(b.x0)), pixels_(s.w.high(b.x1 - 1) - low_ + 1),
        start_(most(0, least(pixels_, -low_))),
        end_(most(start_, least(pixels_, s.w.in - low_))),
        single_(s.width == 1) {
    const int64_t held = round_up(slots_ * 8, 64), places = round_up(s.taps() * 8, 64);
    const size_t size = static_cast<size_t>(row_size()) * sizeof(T);
    char* memory = thread_scratch(static_cast<size_t>(held + places) +
                                  size * static_cast<size_t>(slots_ + (single_ ? 1 : 0)) +
                                  kWidest * sizeof(T));
    held_ = reinterpret_cast<int64_t*>(memory);
    places_ = reinterpret_cast<const T**>(memory + held);
    rows_ = reinterpret_cast<T*>(memory + held + places);
    for (int64_t i = 0; i < slots_; ++i) held_[i] = -1;
    // Pixels that do not exist have products of zero.
    __builtin_memset(rows_, 0, size * static_cast<size_t>(slots_));
  }

  // Where the products for output x0 + phase begin: those that exist, in the order of the taps.
  int64_t find(const Block& b, int64_t row, int64_t phase) {
    const SpreadAxis &z = s_.z, &r = s_.r, &w = s_.w;
    const int64_t rest = quotient(row, r.out), n = quotient(rest, z.out);
    const int64_t oy = remainder(row, r.out), oz = remainder(rest, z.out);
    int64_t found = 0, tap = 0;
    for (int64_t tz = 0; tz < z.taps; ++tz) {
      const int64_t iz = z.pixel(oz, tz);
      for (int64_t ty = 0; ty < r.taps; ++ty, tap += w.taps) {
        const int64_t iy = iz < 0 ? -1 : r.pixel(oy, ty);
        if (iy < 0) continue;
        const T* from = row_of((n * z.in + iz) * r.in + iy);
        for (int64_t tx = 0; tx < w.taps; ++tx) {
          const int64_t at = b.x0 + phase + w.first + tx * w.gap, ix = w.below(at);
          if (ix * w.step == at) places_[found++] = from + offset(tap + tx, ix - low_);
        }
      }
    }
    return found;
  }
  const T* const* places() const { return places_; }

 private:
  int64_t plane() const { return round_up(pixels_, Vec<T>::lanes); }
  int64_t row_size() const { return plane() * s_.pitch(); }
  int64_t offset(int64_t tap, int64_t pixel) const {
    return single_ ? tap * plane() + pixel : pixel * s_.pitch() + tap * s_.width;
  }

  const T* row_of(int64_t row) {
    const int64_t slot = remainder(row, slots_), count = end_ - start_;
    T* to = rows_ + slot * row_size();
    if (held_[slot] == row || count == 0) return to;
    held_[slot] = row;
    const T* x = s_.x + (row * s_.w.in + low_ + start_) * s_.depth;
    const int64_t row_bytes = count * s_.depth * static_cast<int64_t>(sizeof(T));
    const int64_t vectors = s_.pitch() / Vec<T>::lanes;
    ahead_.aim(x + s_.w.in * s_.depth, 1, row_bytes, 0,
               parts(vectors, kVectors) * parts(count, kRows[least(vectors, kVectors)]));
    T* made = single_ ? rows_ + slots_ * row_size() : to + offset(0, start_);
    products(s_, x, count, made, ahead_);
    if (single_) turn(made, s_.pitch(), count, to + start_, plane());
    return to;
  }

  const Spread<T>& s_;
  int64_t slots_, low_, pixels_, start_, end_;  // start_ .. end_: the pixels that exist
  bool single_;
  int64_t* held_;
  const T** places_;
  T* rows_;
  Ahead ahead_;
};

// Outputs x0 .. x1 of rows r0 .. r1.
template <class T>
void spread_block(const Spread<T>& s, const Block& b) {
  Ring<T> ring(s, b);
  const int64_t step = s.w.step, apart = step * s.width;
  for (int64_t row = b.r0; row < b.r1; ++row)
    for (int64_t phase = 0; phase < least(step, b.length()); ++phase) {
      const int64_t found = ring.find(b, row, phase), count = parts(b.length() - phase, step);
      T* y = s.y + (row * s.w.out + b.x0 + phase) * s.width;
      if (s.width == 1)
        add_up_single(s, ring.places(), found, count, y, apart);
      else
        add_up_all<T, 4>(s, ring.places(), found, count, y, apart);
    }
}

template <class T>
void spread(const Call& call, const Spread<T>& s) {
  const int64_t rows = s.rows();
  if (rows == 0 || s.w.out == 0) return;
  pack(s);
  const int64_t chunks = parts(s.w.out, s.length());
  // What a task computes again of its neighbour's rows should be little.
  const int64_t work = s.depth * s.pitch() * parts(parts(s.w.out, chunks), s.w.step);
  const int64_t each = most(4 * (s.ring() - 1) * s.r.step, quotient(kTaskWork, most(1, work)));
  const int64_t bands = most(1, quotient(rows, most(1, each)));
  parallel_for(call.pool, bands * chunks, [&](int64_t task) {
    const int64_t chunk = quotient(task, bands), band = remainder(task, bands);
    spread_block(s, {share(rows, bands, band), share(rows, bands, band + 1),
                     share(s.w.out, chunks, chunk), share(s.w.out, chunks, chunk + 1)});
  });
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
