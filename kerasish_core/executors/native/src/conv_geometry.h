// What the convolution kernels share: the geometry of one axis, and where rows of input lie.
//
// All of them see three spatial axes, z y x; fewer have size 1. A row is the x axis of one
// (batch, z, y); rows are numbered through batch, z and y.
#pragma once

#include "kernel.h"
#include "simd.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

// Division of numbers that are not negative; in 32 bits it is several times as fast.
constexpr int64_t quotient(int64_t a, int64_t b) {
  return (a | b) >> 32 ? a / b : static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
}
constexpr int64_t remainder(int64_t a, int64_t b) {
  return (a | b) >> 32 ? a % b : static_cast<uint32_t>(a) % static_cast<uint32_t>(b);
}
constexpr int64_t parts(int64_t size, int64_t part) { return quotient(size + part - 1, part); }
constexpr int64_t round_up(int64_t size, int64_t to) { return parts(size, to) * to; }

// What a task should do and touch: fused multiply-adds, about 50 microseconds, and numbers that fit
// the cache.
constexpr int64_t kTaskWork = int64_t(1) << 22;
constexpr int64_t kTaskNumbers = int64_t(1) << 16;

// Where part i of `count` even parts of `size` begins.
constexpr int64_t share(int64_t size, int64_t count, int64_t i) {
  return quotient(size * i, count);
}

// A length cut into pieces of at most `most` whose sizes differ by one at most, larger ones first.
struct Pieces {
  int64_t count, small, larger;  // the least size, and how many pieces have one more

  Pieces(int64_t length, int64_t limit)
      : count(parts(length, limit)),
        small(quotient(length, count)),
        larger(remainder(length, count)) {}
  int64_t size(int64_t i) const { return small + (i < larger ? 1 : 0); }
};

// Tap i of output j reads input j * step + first + i * gap and weight w_first + i * w_gap; the
// output is element o_first + j * o_step of o_size in the target. Gaps of the input are positive.
struct Axis {
  int64_t in, out, step, taps, first, gap;
  int64_t w_first, w_gap, o_first, o_step, o_size;

  int64_t reach() const { return taps ? (taps - 1) * gap + 1 : 0; }
  int64_t input(int64_t j, int64_t i) const { return j * step + first + i * gap; }
  int64_t output(int64_t j) const { return o_first + j * o_step; }
};

// One axis as the op describes it; params: in, out, window, stride, dilation, padding before.
struct Spatial {
  int64_t in, out, window, stride, dilation, pad;

  Axis forward() const {
    return {in, out, stride, window, -pad, dilation, 0, 1, 0, 1, out};
  }
};

// params: n, channels, filters, groups, flags, then six numbers for each of z, y, x
struct Problem {
  int64_t n, channels, filters, groups, flags;
  Spatial axis[3];

  explicit Problem(const int64_t* p)
      : n(p[0]), channels(p[1]), filters(p[2]), groups(p[3]), flags(p[4]) {
    p += 5;
    for (Spatial& a : axis) {
      a = {p[0], p[1], p[2], p[3], p[4], p[5]};
      p += 6;
    }
  }
  int64_t depth() const { return channels / groups; }
  int64_t width() const { return filters / groups; }
  int64_t window() const { return axis[0].window * axis[1].window * axis[2].window; }
};

// The outputs x0 .. x1 of rows r0 .. r1.
struct Block {
  int64_t r0, r1, x0, x1;

  int64_t rows() const { return r1 - r0; }
  int64_t length() const { return x1 - x0; }
};

// How the input under output rows is read. A segment is a run of channels under one or more taps:
// where nothing lies between the taps of the x axis they are one run.
template <class T>
struct Reader {
  const T* x;
  int64_t channels;
  Axis z, y, w;
  bool merged;  // whether the taps of x are one segment

  Reader(const T* x_, int64_t channels_, const Axis* axes, bool whole)
      : x(x_), channels(channels_), z(axes[0]), y(axes[1]), w(axes[2]),
        merged(whole && (axes[2].gap == 1 || axes[2].taps <= 1)) {}

  int64_t segments() const { return z.taps * y.taps * (merged ? least(w.taps, 1) : w.taps); }
  int64_t pixel() const { return w.step * channels; }

  bool inside(const Block& b) const {
    if (w.taps == 0) return true;
    return b.x0 * w.step + w.first >= 0 && (b.x1 - 1) * w.step + w.first + w.reach() <= w.in;
  }

  // The last input row that a block reads.
  int64_t last_row(const Block& b) const {
    const int64_t rest = quotient(b.r1 - 1, y.out), oy = remainder(b.r1 - 1, y.out);
    const int64_t n = quotient(rest, z.out), oz = remainder(rest, z.out);
    const int64_t iz = most(0, least(z.in - 1, z.input(oz, z.taps - 1)));
    const int64_t iy = most(0, least(y.in - 1, y.input(oy, y.taps - 1)));
    return (n * z.in + iz) * y.in + iy;
  }

  // Calls f(batch, z, y) of the output for each row of a block.
  template <class F>
  void each_row(const Block& b, const F& f) const {
    int64_t oy = remainder(b.r0, y.out), rest = quotient(b.r0, y.out);
    int64_t oz = remainder(rest, z.out), n = quotient(rest, z.out);
    for (int64_t r = b.r0; r < b.r1; ++r) {
      f(n, oz, oy);
      if (++oy < y.out) continue;
      oy = 0;
      if (++oz == z.out) oz = 0, ++n;
    }
  }

  // Calls f(place in the table of rows x z taps x y taps, number of the input row or -1).
  template <class F>
  void each(const Block& b, const F& f) const {
    int64_t place = 0;
    each_row(b, [&](int64_t n, int64_t oz, int64_t oy) {
      for (int64_t tz = 0; tz < z.taps; ++tz) {
        int64_t iz = z.input(oz, tz);
        for (int64_t ty = 0; ty < y.taps; ++ty, ++place) {
          int64_t iy = y.input(oy, ty);
          bool there = iz >= 0 && iz < z.in && iy >= 0 && iy < y.in;
          f(place, there ? (n * z.in + iz) * y.in + iy : int64_t(-1));
        }
      }
    });
  }
};

// Memory that will be read soon, fetched bit by bit between other work.
class Ahead {
 public:
  // `rows` runs of `bytes`, `pitch` apart, within about `steps` calls.
  void aim(const void* from, int64_t rows, int64_t bytes, int64_t pitch, int64_t steps) {
    row_ = static_cast<const char*>(from);
    rows_ = bytes > 0 ? most(rows, 0) : 0;
    bytes_ = bytes, pitch_ = pitch, done_ = 0;
    lines_ = rows_ * parts(bytes_, 64) / most(1, steps) + 1;
  }
  void step() {
    for (int64_t i = 0; i < lines_ && rows_ > 0; ++i) {
      __builtin_prefetch(row_ + done_, 0, 2);
      done_ += 64;
      if (done_ < bytes_) continue;
      done_ = 0;
      row_ += pitch_;
      --rows_;
    }
  }

 private:
  const char* row_ = nullptr;
  int64_t rows_ = 0, bytes_ = 0, pitch_ = 0, done_ = 0, lines_ = 0;
};

// Aims at what `next` reads and `now` does not.
template <class T>
void aim_at(Ahead& ahead, const Reader<T>& reader, const Block& now, const Block& next,
            int64_t steps) {
  const Axis& w = reader.w;
  const int64_t size = static_cast<int64_t>(sizeof(T)) * reader.channels;
  const int64_t first = reader.last_row(now), last = reader.last_row(next);
  const bool same_rows = first == last;  // the next part of long rows
  const int64_t x0 = same_rows ? now.x1 : next.x0;
  const int64_t start = most(0, least(w.in, x0 * w.step + w.first));
  const int64_t end = most(start, least(w.in, next.x1 * w.step + w.first + w.reach()));
  const int64_t row = same_rows ? first : first + 1;
  ahead.aim(reinterpret_cast<const char*>(reader.x) + (row * w.in + start) * size,
            same_rows ? 1 : last - first, (end - start) * size, w.in * size, steps);
}

// Where the segments under the blocks of a task begin: null where all of one is padding. Rows that
// reach into the padding of x are copied with zeros around them; a row stays copied until its place
// is taken, so that neighbouring blocks share rows.
template <class T>
class Segments {
 public:
  explicit Segments(const Reader<T>& reader) : reader_(reader) {}

  // Makes room for a block, before `start`.
  void expect(const Block& b) {
    rows_ = most(rows_, b.rows());
    if (reader_.inside(b)) return;
    pixels_ = most(pixels_, pixels(b));
    int64_t low = -1, high = -1;
    reader_.each(b, [&](int64_t, int64_t row) {
      if (row < 0) return;
      low = low < 0 ? row : least(low, row);
      high = most(high, row);
    });
    if (high >= 0) copies_ = most(copies_, high - low + 1);
  }

  // Scratch that all this needs, a multiple of 64 bytes.
  int64_t bytes() const {
    return table_bytes() + row_bytes() + copies_ * copy_size() * static_cast<int64_t>(sizeof(T));
  }

  void start(char* scratch) {
    table_ = reinterpret_cast<const T**>(scratch);
    held_ = reinterpret_cast<int64_t*>(scratch + table_bytes());
    memory_ = reinterpret_cast<T*>(scratch + table_bytes() + row_bytes());
  }

  // The table [row][segment] of a block.
  const T* const* find(const Block& b) {
    const Axis& w = reader_.w;
    const bool copied = !reader_.inside(b);
    const int64_t c = reader_.channels, each = reader_.merged ? least(w.taps, 1) : w.taps;
    const int64_t begin = b.x0 * w.step + w.first;
    if (copied && (b.x0 != x0_ || b.x1 != x1_)) {
      for (int64_t i = 0; i < copies_; ++i) held_[i] = -1;
      x0_ = b.x0, x1_ = b.x1;
    }
    reader_.each(b, [&](int64_t place, int64_t row) {
      const T* at = nullptr;
      if (row >= 0 && !copied) at = reader_.x + (row * w.in + begin) * c;
      if (row >= 0 && copied) at = copy_of(row, begin, pixels(b));
      for (int64_t i = 0; i < each; ++i)
        table_[place * each + i] = at ? at + i * w.gap * c : nullptr;
    });
    return table_;
  }

 private:
  int64_t pixels(const Block& b) const {
    return (b.length() - 1) * reader_.w.step + reader_.w.reach();
  }
  int64_t copy_size() const { return round_up(pixels_ * reader_.channels, 64 / sizeof(T)); }
  int64_t row_bytes() const { return round_up(copies_ * 8, 64); }
  int64_t table_bytes() const { return round_up(rows_ * reader_.segments() * 8, 64); }

  const T* copy_of(int64_t row, int64_t begin, int64_t n) const {
    const int64_t place = remainder(row, copies_), c = reader_.channels;
    T* copy = memory_ + place * copy_size();
    if (held_[place] == row) return copy;
    held_[place] = row;
    const T* x = reader_.x + row * reader_.w.in * c;
    const int64_t from = most(0, least(n, -begin));
    const int64_t to = most(from, least(n, reader_.w.in - begin));
    __builtin_memset(copy, 0, static_cast<size_t>(from * c) * sizeof(T));
    __builtin_memcpy(copy + from * c, x + (begin + from) * c,
                     static_cast<size_t>((to - from) * c) * sizeof(T));
    __builtin_memset(copy + to * c, 0, static_cast<size_t>((n - to) * c) * sizeof(T));
    return copy;
  }

  Reader<T> reader_;
  int64_t rows_ = 0, pixels_ = 0, copies_ = 0;
  int64_t x0_ = -1, x1_ = -1;
  const T** table_ = nullptr;
  int64_t* held_ = nullptr;
  T* memory_ = nullptr;
};

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
