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
constexpr int64_t parts(int64_t size, int64_t part) { return (size + part - 1) / part; }
constexpr int64_t round_up(int64_t size, int64_t to) { return parts(size, to) * to; }

// Where part i of `count` even parts of `size` begins.
constexpr int64_t share(int64_t size, int64_t count, int64_t i) { return size * i / count; }

// A length cut into pieces of at most `most` whose sizes differ by one at most, larger ones first.
struct Pieces {
  int64_t count, small, larger;  // the least size, and how many pieces have one more

  Pieces(int64_t length, int64_t limit)
      : count(parts(length, limit)), small(length / count), larger(length % count) {}
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
    const int64_t r = b.r1 - 1, oy = r % y.out, oz = r / y.out % z.out, n = r / (y.out * z.out);
    const int64_t iz = most(0, least(z.in - 1, z.input(oz, z.taps - 1)));
    const int64_t iy = most(0, least(y.in - 1, y.input(oy, y.taps - 1)));
    return (n * z.in + iz) * y.in + iy;
  }

  // Calls f(batch, z, y) of the output for each row of a block.
  template <class F>
  void each_row(const Block& b, const F& f) const {
    int64_t oy = b.r0 % y.out, rest = b.r0 / y.out;
    int64_t oz = rest % z.out, n = rest / z.out;
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

// The segments under a block: pointers to the first pixel, null where all of it is padding. Rows
// that reach into the padding of x are copied with zeros around them, each once.
template <class T>
class Segments {
 public:
  Segments(const Reader<T>& reader, const Block& block) : reader_(reader), block_(block) {
    copies_ = !reader.inside(block);
    if (!copies_) return;
    reader.each(block, [&](int64_t, int64_t row) {
      if (row < 0) return;
      if (low_ < 0 || row < low_) low_ = row;
      if (row > high_) high_ = row;
    });
  }

  // Scratch that `build` needs.
  size_t bytes() const {
    return table_bytes() + flag_bytes() + 64 +
           static_cast<size_t>(copied() * copy_size()) * sizeof(T);
  }

  // The table [row][segment].
  const T** build(char* scratch) const {
    auto** table = reinterpret_cast<const T**>(scratch);
    char* done = scratch + table_bytes();
    T* memory = reinterpret_cast<T*>(done + flag_bytes());
    if (copies_) __builtin_memset(done, 0, flag_bytes());
    const Axis& w = reader_.w;
    const int64_t c = reader_.channels, each = reader_.merged ? least(w.taps, 1) : w.taps;
    const int64_t start = block_.x0 * w.step + w.first;
    reader_.each(block_, [&](int64_t place, int64_t row) {
      const T* at = nullptr;
      if (row >= 0 && !copies_) at = reader_.x + (row * w.in + start) * c;
      if (row >= 0 && copies_) {
        T* copy = memory + (row - low_) * copy_size();
        if (!done[row - low_]) {
          pad(reader_.x + row * w.in * c, start, copy);
          done[row - low_] = 1;
        }
        at = copy;
      }
      for (int64_t i = 0; i < each; ++i)
        table[place * each + i] = at ? at + i * w.gap * c : nullptr;
    });
    return table;
  }

 private:
  int64_t pixels() const { return (block_.length() - 1) * reader_.w.step + reader_.w.reach(); }
  int64_t copy_size() const { return round_up(pixels() * reader_.channels, 64 / sizeof(T)); }
  int64_t copied() const { return copies_ && high_ >= 0 ? high_ - low_ + 1 : 0; }
  size_t flag_bytes() const { return static_cast<size_t>(round_up(copied(), 64)); }
  size_t table_bytes() const {
    return static_cast<size_t>(round_up(block_.rows() * reader_.segments() * 8, 64));
  }

  void pad(const T* row, int64_t start, T* copy) const {
    const int64_t c = reader_.channels, n = pixels();
    const int64_t from = most(0, least(n, -start)), to = most(from, least(n, reader_.w.in - start));
    __builtin_memset(copy, 0, static_cast<size_t>(from * c) * sizeof(T));
    __builtin_memcpy(copy + from * c, row + (start + from) * c,
                     static_cast<size_t>((to - from) * c) * sizeof(T));
    __builtin_memset(copy + to * c, 0, static_cast<size_t>((n - to) * c) * sizeof(T));
  }

  Reader<T> reader_;
  Block block_;
  bool copies_;
  int64_t low_ = -1, high_ = -1;
};

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish
