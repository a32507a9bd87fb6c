// Pooling: maxima, sums and their gradients over windows, channels last.
//
// Vectors run over channels. Results that windows share (gradients) are written by one task for
// each image and range of channels.
#include "conv_geometry.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int64_t kChannels = 64;                   // the fewest of a task
constexpr int64_t kPoolNumbers = int64_t(1) << 17;  // read by one task
constexpr int64_t kMostTaps = 64;  // of a window whose places are kept on the stack

// A number known when this is compiled.
template <int64_t N>
struct Known {
  constexpr operator int64_t() const { return N; }
};

// A place under a window: which one, and where its pixel begins in the input.
struct Tap {
  int64_t k, at;
};

struct Pooling {
  int64_t n, channels;
  Axis z, y, x;

  explicit Pooling(const int64_t* params) {
    const Problem p(params);
    n = p.n, channels = p.channels;
    z = p.axis[0].forward(), y = p.axis[1].forward(), x = p.axis[2].forward();
  }
  int64_t taps() const { return z.taps * y.taps * x.taps; }
  int64_t rows() const { return n * z.out * y.out; }
  // Whether no two windows share a place.
  bool apart() const { return z.step >= z.taps && y.step >= y.taps && x.step >= x.taps; }
  // Whether windows lie side by side from the first place on; what is left over is under none.
  bool side_by_side() const {
    const Axis* axes[] = {&z, &y, &x};
    for (const Axis* a : axes)
      if (a->first != 0 || a->step != a->taps || a->out * a->step > a->in) return false;
    return true;
  }
  bool under_windows(int64_t line) const {
    return line % y.in < y.out * y.step && line / y.in < z.out * z.step;
  }
  int64_t pixels() const { return z.in * y.in * x.in; }
  // From a place under a window to that under the window of the next row.
  int64_t next_row() const { return y.step * x.in * channels; }

  // The places under row r that lie inside in z and y, at the left end of the windows' row.
  int64_t under_row(int64_t r, Tap* taps) const {
    const int64_t oy = r % y.out, oz = r / y.out % z.out, image = r / (y.out * z.out);
    int64_t count = 0;
    for (int64_t a = 0; a < z.taps; ++a)
      for (int64_t b = 0; b < y.taps; ++b) {
        const int64_t iz = z.input(oz, a), iy = y.input(oy, b);
        if (iz < 0 || iz >= z.in || iy < 0 || iy >= y.in) continue;
        taps[count++] = {(a * y.taps + b) * x.taps,
                         ((image * z.in + iz) * y.in + iy) * x.in * channels};
      }
    return count;
  }

  // The places under window ox of a row, in the order of their numbers.
  int64_t under_window(int64_t ox, const Tap* row, int64_t count, Tap* taps) const {
    const int64_t start = x.input(ox, 0);
    const int64_t from = most(0, -start), to = least(x.taps, x.in - start);
    int64_t found = 0;
    for (int64_t i = 0; i < count; ++i)
      for (int64_t d = from; d < to; ++d)
        taps[found++] = {row[i].k + d, row[i].at + (start + d) * channels};
    return found;
  }
};

// Memory for the places under a row and under a window: twice as many as a window has.
struct Places {
  Tap stack[2 * kMostTaps];
  Tap *row, *window;

  static Tap* allocate(int64_t count) {
    return reinterpret_cast<Tap*>(thread_scratch(static_cast<size_t>(count) * sizeof(Tap)));
  }
  explicit Places(int64_t taps)
      : row(taps <= kMostTaps ? stack : allocate(2 * taps)),
        window(row + taps) {}
};

// Calls f(number of the output pixel, places, how many) for the rows first .. last.
template <class F>
void each_window(const Pooling& p, int64_t first, int64_t last, const F& f) {
  Places places(p.taps());
  const int64_t shift = p.x.step * p.channels;
  for (int64_t r = first; r < last; ++r) {
    const int64_t count = p.under_row(r, places.row);
    int64_t found = 0;
    bool whole = false;  // whether the last window lay inside the row
    for (int64_t ox = 0; ox < p.x.out; ++ox) {
      const int64_t start = p.x.input(ox, 0);
      const bool inside = start >= 0 && start + p.x.taps <= p.x.in;
      if (inside && whole)  // the same places, further on
        for (int64_t i = 0; i < found; ++i) places.window[i].at += shift;
      else
        found = p.under_window(ox, places.row, count, places.window);
      whole = inside;
      f(r * p.x.out + ox, places.window, found);
    }
  }
}

// The same over all rows, in tasks of about equal size.
template <class F>
void all_windows(const Call& call, const Pooling& p, const F& f) {
  const int64_t read = least(p.taps(), p.x.step * p.y.step * p.z.step + 1);  // for one window
  const int64_t row = most(1, p.x.out * p.channels * read);
  const int64_t tasks = most(1, least(p.rows(), p.rows() * row / kPoolNumbers));
  parallel_for(call.pool, tasks, [&](int64_t i) {
    each_window(p, share(p.rows(), tasks, i), share(p.rows(), tasks, i + 1), f);
  });
}

// Calls f(output pixel, places, how many, first channel, channels) for each window of each image
// and range of channels, after the rows of `out` (the input's shape) that it covers became zero,
// where windows overlap or leave places out.
template <class T, class F>
void scatter(const Call& call, const Pooling& p, T* out, const F& f) {
  const int64_t image_numbers = p.pixels() * p.channels, c = p.channels;
  const int64_t ranges = most(1, least(c / kChannels, image_numbers / kPoolNumbers));
  const int64_t numbers = most(1, image_numbers / ranges);
  const int64_t group = most(1, least(p.n, kPoolNumbers / numbers)), groups = parts(p.n, group);
  const int64_t rows = p.z.out * p.y.out, lines = p.z.in * p.y.in;
  const bool side_by_side = p.side_by_side();
  parallel_for(call.pool, groups * ranges, [&](int64_t task) {
    const int64_t c0 = share(c, ranges, task % ranges), c1 = share(c, ranges, task % ranges + 1);
    const int64_t end = least(p.n, (task / ranges + 1) * group);
    for (int64_t n = task / ranges * group; n < end; ++n) {
      T* image = out + n * image_numbers;
      int64_t cleared = 0;  // rows of the image that are zero or hold sums
      auto clear = [&](int64_t until) {
        for (; cleared < least(until, lines); ++cleared) {
          const bool left = side_by_side && p.under_windows(cleared);
          const int64_t from = left ? p.x.out * p.x.step : 0;
          T* to = image + (cleared * p.x.in + from) * c;
          if (ranges == 1) {
            __builtin_memset(to, 0, static_cast<size_t>((p.x.in - from) * c) * sizeof(T));
            continue;
          }
          for (int64_t i = from; i < p.x.in; ++i, to += c)
            __builtin_memset(to + c0, 0, static_cast<size_t>(c1 - c0) * sizeof(T));
        }
      };
      for (int64_t r = 0; r < rows; ++r) {
        clear(p.z.input(r / p.y.out, p.z.taps - 1) * p.y.in +
              most(0, least(p.y.in, p.y.input(r % p.y.out, p.y.taps - 1) + 1)));
        each_window(p, n * rows + r, n * rows + r + 1,
                    [&](int64_t pixel, const Tap* taps, int64_t count) {
                      f(pixel, taps, count, c0, c1);
                    });
      }
      clear(lines);
    }
  });
}

// Calls f(first channel, mask of the channels that exist) for vectors of channels c0 .. c1.
template <class T, class F>
inline void each_vector(int64_t c0, int64_t c1, const F& f) {
  using X = Vec<T>;
  int64_t c = c0;
  const auto whole = X::mask(X::lanes);
  for (; c + X::lanes <= c1; c += X::lanes) f(c, whole);
  if (c < c1) f(c, X::mask(c1 - c));
}

// Calls f(count) with a count that the compiler knows for windows of 2 x 2.
template <class F>
KERASISH_INLINE void unrolled(int64_t count, const F& f) {
  count == 4 ? f(Known<4>{}) : f(count);
}

// A vector that will be followed by the one `next` numbers further on, which is asked for: hardware
// foresees the short runs under windows badly.
template <class X, class T>
KERASISH_INLINE X load(const T* from, typename X::Mask mask, int64_t next) {
  __builtin_prefetch(from + next);
  return X::load(from, mask);
}

template <class T>
Vec<T> lowest() {
  return Vec<T>::broadcast(-static_cast<T>(__builtin_inf()));
}

// A NaN stays, as in NumPy's maximum.
template <class X>
KERASISH_INLINE X larger(X best, X next) {
  return {(next.v > best.v) | (next.v != next.v) ? next.v : best.v};
}

// The value under the first maximum of a window: what `pick(place)` gives for it, and zero if the
// maximum is in the padding, which counts as minus infinity. Comparisons with NaN are false.
template <class X, class T, class Count, class Pick>
KERASISH_INLINE X under_maximum(const T* x, int64_t c, typename X::Mask mask, const Tap* taps,
                                Count count, int64_t next_row, const Pick& pick) {
  const bool padded = count == 0 || taps[0].k > 0;
  X best = padded ? lowest<T>() : load<X>(x + taps[0].at + c, mask, next_row);
  X found = padded ? X::zero() : pick(0);
  for (int64_t t = padded ? 0 : 1; t < count; ++t) {
    const X next = load<X>(x + taps[t].at + c, mask, next_row), other = pick(t);
    const auto better = next.v > best.v;
    best.v = better ? next.v : best.v;
    found.v = better ? other.v : found.v;
  }
  return found;
}

// data: x, y; params: as conv
template <class T>
void max_pool(const Call& call) {
  using X = Vec<T>;
  const Pooling p(call.params);
  const T* x = static_cast<const T*>(call.data[0]);
  T* y = static_cast<T*>(call.data[1]);
  const int64_t next_row = p.next_row();
  all_windows(call, p, [&](int64_t pixel, const Tap* taps, int64_t count) {
    T* to = y + pixel * p.channels;
    unrolled(count, [&](auto places) {
      each_vector<T>(0, p.channels, [&](int64_t c, typename X::Mask mask) {
        X best = lowest<T>();
        for (int64_t t = 0; t < places; ++t)
          best = larger(best, load<X>(x + taps[t].at + c, mask, next_row));
        best.store(to + c, mask);
      });
    });
  });
}

// data: x, y
template <class T>
void window_sum(const Call& call) {
  using X = Vec<T>;
  const Pooling p(call.params);
  const T* x = static_cast<const T*>(call.data[0]);
  T* y = static_cast<T*>(call.data[1]);
  const int64_t next_row = p.next_row();
  all_windows(call, p, [&](int64_t pixel, const Tap* taps, int64_t count) {
    T* to = y + pixel * p.channels;
    each_vector<T>(0, p.channels, [&](int64_t c, typename X::Mask mask) {
      X sum = X::zero();
      for (int64_t t = 0; t < count; ++t)
        sum = sum + load<X>(x + taps[t].at + c, mask, next_row);
      sum.store(to + c, mask);
    });
  });
}

// data: x, u (x's shape), y: u where x has the first maximum of a window
template <class T>
void max_pool_select(const Call& call) {
  using X = Vec<T>;
  const Pooling p(call.params);
  const T *x = static_cast<const T*>(call.data[0]), *u = static_cast<const T*>(call.data[1]);
  T* y = static_cast<T*>(call.data[2]);
  all_windows(call, p, [&](int64_t pixel, const Tap* taps, int64_t count) {
    T* to = y + pixel * p.channels;
    each_vector<T>(0, p.channels, [&](int64_t c, typename X::Mask mask) {
      auto under = [&](int64_t t) { return X::load(u + taps[t].at + c, mask); };
      under_maximum<X>(x, c, mask, taps, count, p.next_row(), under).store(to + c, mask);
    });
  });
}

// data: x, g, gradient by x: g goes to the first maximum of each window
template <class T>
void max_pool_grad(const Call& call) {
  using X = Vec<T>;
  const Pooling p(call.params);
  const T *x = static_cast<const T*>(call.data[0]), *g = static_cast<const T*>(call.data[1]);
  T* out = static_cast<T*>(call.data[2]);
  const bool apart = p.apart();
  const int64_t next_row = p.next_row();
  scatter(call, p, out, [&](int64_t pixel, const Tap* taps, int64_t count, int64_t c0, int64_t c1) {
    const T* from = g + pixel * p.channels;
    unrolled(count, [&](auto places) {
      each_vector<T>(c0, c1, [&](int64_t c, typename X::Mask mask) {
        auto number = [](int64_t t) { return X::broadcast(static_cast<T>(t + 1)); };
        const X chosen = under_maximum<X>(x, c, mask, taps, places, next_row, number);
        const X value = X::load(from + c, mask);
        for (int64_t t = 0; t < places; ++t) {
          T* to = out + taps[t].at + c;
          const X part = {chosen.v == number(t).v ? value.v : X::zero().v};
          (apart ? part : X::load(to, mask) + part).store(to, mask);
        }
      });
    });
  });
}

// data: g, gradient by x: g goes to all places of each window
template <class T>
void window_spread(const Call& call) {
  using X = Vec<T>;
  const Pooling p(call.params);
  const T* g = static_cast<const T*>(call.data[0]);
  T* out = static_cast<T*>(call.data[1]);
  const bool apart = p.apart();
  const int64_t next_row = p.next_row();
  scatter(call, p, out, [&](int64_t pixel, const Tap* taps, int64_t count, int64_t c0, int64_t c1) {
    const T* from = g + pixel * p.channels;
    each_vector<T>(c0, c1, [&](int64_t c, typename X::Mask mask) {
      const X value = X::load(from + c, mask);
      for (int64_t t = 0; t < count; ++t) {
        T* to = out + taps[t].at + c;
        __builtin_prefetch(to + next_row, 1);
        (apart ? value : X::load(to, mask) + value).store(to, mask);
      }
    });
  });
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(pool, {"max_pool_f32", max_pool<float>}, {"max_pool_f64", max_pool<double>},
               {"max_pool_grad_f32", max_pool_grad<float>},
               {"max_pool_grad_f64", max_pool_grad<double>},
               {"max_pool_select_f32", max_pool_select<float>},
               {"max_pool_select_f64", max_pool_select<double>},
               {"window_sum_f32", window_sum<float>}, {"window_sum_f64", window_sum<double>},
               {"window_spread_f32", window_spread<float>},
               {"window_spread_f64", window_spread<double>})
