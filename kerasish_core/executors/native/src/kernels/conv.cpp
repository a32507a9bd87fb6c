// Convolution and its gradient by the input: implicit matrix products over channels-last arrays.
//
// Weights are packed into panels of a few vectors of filters; a tile of pixels of one row times one
// panel is summed in registers over all taps and channels, in one order whatever the sizes of the
// tiles. The gradient by the input is the same for each phase of the strides: outputs of the
// gradient that lie one stride apart see the same taps, at distances of one pixel. Where few
// channels are written, `conv_spread.h` serves.
#include "conv_geometry.h"
#include "conv_spread.h"
#include "conv_tile.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int64_t kCopyNumbers = 6 << 10;
constexpr int64_t kMostTasks = 128;
constexpr int64_t kPanelBytes = int64_t(1) << 18;

template <class T>
struct Correlation {
  const T* x;
  T* y;
  const T* kernel;
  T* packed;
  const T* bias;  // or null
  bool relu;
  int64_t n, depth, width, groups;  // depth and width: channels read and written, of a group
  Axis axis[3];
  int64_t windows[3];              // sizes of the kernel
  int64_t tap, k_step, j_step;     // strides in the kernel: taps, channels read, channels written
  int64_t k_group, j_group;        // from group to group

  int64_t taps() const { return axis[0].taps * axis[1].taps * axis[2].taps; }
  int64_t terms() const { return taps() * depth; }
  int64_t padded() const { return round_up(width, Vec<T>::lanes); }
  int64_t packed_size() const { return groups * terms() * padded(); }
};

template <class T>
int64_t panels(const Correlation<T>& c) {
  return parts(c.padded(), kVectors * Vec<T>::lanes);
}

// Copies one panel: [tap][channel read][lane], zero beyond the last channel.
template <class T>
void pack_panel(const Correlation<T>& c, int64_t group, int64_t panel) {
  const int64_t from = panel * kVectors * Vec<T>::lanes;
  const int64_t lanes = least(kVectors * Vec<T>::lanes, c.padded() - from);
  const int64_t columns = least(lanes, c.width - from);
  T* to = c.packed + (group * c.padded() + from) * c.terms();
  const Axis *z = &c.axis[0], *y = &c.axis[1], *w = &c.axis[2];
  for (int64_t a = 0; a < z->taps; ++a)
    for (int64_t b = 0; b < y->taps; ++b)
      for (int64_t d = 0; d < w->taps; ++d, to += c.depth * lanes) {
        int64_t tap = ((z->w_first + a * z->w_gap) * c.windows[1] + y->w_first + b * y->w_gap) *
                          c.windows[2] + w->w_first + d * w->w_gap;
        const T* source =
            c.kernel + tap * c.tap + group * (c.k_group + c.j_group) + from * c.j_step;
        if (columns < lanes)
          __builtin_memset(to, 0, static_cast<size_t>(c.depth * lanes) * sizeof(T));
        if (c.j_step == 1) {
          for (int64_t k = 0; k < c.depth; ++k)
            __builtin_memcpy(to + k * lanes, source + k * c.k_step,
                             static_cast<size_t>(columns) * sizeof(T));
        } else {
          constexpr int64_t L = Vec<T>::lanes;
          for (int64_t j = 0; j < columns; j += L) {
            const int64_t count = least(L, columns - j);
            const T* rows = source + j * c.j_step;
            int64_t k = copy_turned(rows, c.j_step, count, c.depth, to + j, lanes, Vec<T>::mask(L));
            for (; k < c.depth; ++k)
              for (int64_t i = 0; i < count; ++i) to[k * lanes + j + i] = rows[i * c.j_step + k];
          }
        }
      }
}

template <class T>
void pack(const Call& call, const Correlation<T>& c) {
  const int64_t each = panels(c), count = c.groups * each;
  const int64_t runs = most(1, least(count, c.packed_size() >> 15));
  parallel_for(call.pool, runs, [&](int64_t run) {
    for (int64_t i = share(count, runs, run); i < share(count, runs, run + 1); ++i)
      pack_panel(c, i / each, i % each);
  });
}

// All pixels of a block for one panel, row by row in tiles of nearly equal sizes.
template <class T>
void block_of_panel(const Correlation<T>& c, const Reader<T>& reader, const Block& block,
                    const T* const* table, int64_t group, int64_t panel, Ahead& ahead) {
  const int64_t lanes = Vec<T>::lanes, from = panel * kVectors * lanes;
  const int64_t vectors = least(kVectors, (c.padded() - from) / lanes);
  const int64_t columns = least(vectors * lanes, c.width - from);
  const int64_t segments = reader.segments(), pixel = reader.pixel();
  const int64_t run = segments ? c.terms() / segments : 0;
  const Pieces pieces(block.length(), kRows[vectors]);
  const ForwardTile<T> small = find_forward<T>(vectors, pieces.small, pixel);
  const ForwardTile<T> larger = find_forward<T>(vectors, pieces.size(0), pixel);
  const T* weights = c.packed + (group * c.padded() + from) * c.terms();
  const int64_t filters = c.groups * c.width, column = group * c.width + from;
  const Axis &z = c.axis[0], &y = c.axis[1], &w = c.axis[2];
  const int64_t step = w.o_step * filters;
  // All rows of the block share as many segments of the panel as fit the second cache.
  const int64_t bytes = run * vectors * lanes * static_cast<int64_t>(sizeof(T));
  const int64_t each = most(1, kPanelBytes / most(1, bytes));
  int64_t s = 0;
  do {
    const int64_t count = least(each, segments - s);
    const bool last = s + count == segments;
    const Finish<T> finish = {last && c.bias ? c.bias + column : nullptr, last && c.relu, s > 0};
    const T* const* places = table + s;
    reader.each_row(block, [&](int64_t n, int64_t oz, int64_t oy) {
      const int64_t row = (n * z.o_size + z.output(oz)) * y.o_size + y.output(oy);
      T* to = c.y + (row * w.o_size + w.output(block.x0)) * filters + column;
      int64_t offset = group * c.depth;
      for (int64_t i = 0; i < pieces.count; ++i) {
        ahead.step();
        (i < pieces.larger ? larger : small)(places, count, offset, run, pixel, weights, to, step,
                                             columns, finish);
        offset += pieces.size(i) * pixel;
        to += pieces.size(i) * step;
      }
      places += segments;
    });
    weights += count * run * vectors * lanes;
    s += count;
  } while (s < segments);
}

// One channel in, one out: vectors over channels, a few pixels at a time.
template <class T, int P>
void depthwise_pixels(const Correlation<T>& c, const T* const* places, int64_t offset,
                      int64_t segments, int64_t pixel, T* to, int64_t step) {
  using X = Vec<T>;
  for (int64_t at = 0; at < c.groups; at += X::lanes) {
    const auto mask = X::mask(least(X::lanes, c.groups - at));
    X acc[P];
    KERASISH_UNROLL for (int i = 0; i < P; ++i) acc[i] = X::zero();
    for (int64_t s = 0; s < segments; ++s) {
      if (!places[s]) continue;
      const T* x = places[s] + offset + at;
      const X weight = X::load(c.packed + s * c.groups + at, mask);
      KERASISH_UNROLL for (int i = 0; i < P; ++i)
        acc[i] = fma(X::load(x + i * pixel, mask), weight, acc[i]);
    }
    const X bias = c.bias ? X::load(c.bias + at, mask) : X::zero();
    KERASISH_UNROLL for (int i = 0; i < P; ++i) {
      X y = c.bias ? acc[i] + bias : acc[i];
      if (c.relu) y = max(X::zero(), y);
      y.store(to + i * step + at, mask);
    }
  }
}

template <class T>
void block_depthwise(const Correlation<T>& c, const Reader<T>& reader, const Block& block,
                     const T* const* table) {
  const int64_t segments = reader.segments(), pixel = reader.pixel();
  const Axis &z = c.axis[0], &y = c.axis[1], &w = c.axis[2];
  const int64_t step = w.o_step * c.groups;
  const T* const* places = table;
  reader.each_row(block, [&](int64_t n, int64_t oz, int64_t oy) {
    const int64_t row = (n * z.o_size + z.output(oz)) * y.o_size + y.output(oy);
    T* to = c.y + (row * w.o_size + w.output(block.x0)) * c.groups;
    int64_t at = 0;
    for (; at + 8 <= block.length(); at += 8)
      depthwise_pixels<T, 8>(c, places, at * pixel, segments, pixel, to + at * step, step);
    for (; at < block.length(); ++at)
      depthwise_pixels<T, 1>(c, places, at * pixel, segments, pixel, to + at * step, step);
    places += segments;
  });
}

// The kernel of a depthwise convolution by the taps of the axes: [tap][channel].
template <class T>
void pack_depthwise(const Correlation<T>& c) {
  T* to = c.packed;
  const Axis *z = &c.axis[0], *y = &c.axis[1], *w = &c.axis[2];
  for (int64_t a = 0; a < z->taps; ++a)
    for (int64_t b = 0; b < y->taps; ++b)
      for (int64_t d = 0; d < w->taps; ++d, to += c.groups) {
        int64_t tap = ((z->w_first + a * z->w_gap) * c.windows[1] + y->w_first + b * y->w_gap) *
                          c.windows[2] + w->w_first + d * w->w_gap;
        __builtin_memcpy(to, c.kernel + tap * c.tap, static_cast<size_t>(c.groups) * sizeof(T));
      }
}

// Without neighbours in a window all pixels are one row.
template <class T>
void flatten(Correlation<T>& c) {
  int64_t pixels = c.n;
  for (const Axis& a : c.axis) {
    if (a.taps != 1 || a.step != 1 || a.first || a.in != a.out || a.o_step != 1 || a.o_first ||
        a.o_size != a.out)
      return;
    pixels *= a.out;
  }
  c.n = 1;
  for (Axis& a : c.axis) a.in = a.out = a.o_size = 1;
  c.axis[2].in = c.axis[2].out = c.axis[2].o_size = pixels;
}

template <class T>
void correlate(const Call& call, Correlation<T> c) {
  flatten(c);
  const bool depthwise = c.depth == 1 && c.width == 1 && c.groups > 1;
  const Axis &z = c.axis[0], &y = c.axis[1], &w = c.axis[2];
  const int64_t rows = c.n * z.out * y.out;
  if (rows == 0 || w.out == 0 || c.width == 0 || c.groups == 0) return;
  if (depthwise)
    pack_depthwise(c);
  else
    pack(call, c);
  const Reader<T> reader(c.x, c.groups * c.depth, c.axis, c.groups == 1);
  // Blocks of pixels: as much work as a task should have, if what they touch fits the cache.
  const int64_t work = most(1, c.terms() * c.width * c.groups);
  const int64_t read = most(1, c.groups * c.depth * w.step);  // numbers for one pixel
  const int64_t numbers = read + c.groups * c.width;
  const int64_t whole = most(64, least(kTaskWork / work, kTaskNumbers / numbers));
  // Padded copies of rows that one panel reads should stay in the first cache.
  const bool copies = !reader.inside({0, 1, 0, w.out}) && panels(c) == 1;
  const int64_t pixels = copies ? least(whole, most(64, kCopyNumbers / read)) : whole;
  const int64_t chunks = parts(w.out, pixels);
  const int64_t bands = parts(rows, most(1, pixels / parts(w.out, chunks)));
  const int64_t blocks = bands * chunks;
  // Few pixels and many filters: panels are shared out too.
  const int64_t all = c.groups * panels(c);
  const int64_t wanted = work * most(1, rows * w.out / blocks) / kTaskWork;
  const int64_t splits = depthwise ? 1 : most(1, least(all, wanted));
  const int64_t total = rows * w.out;
  const int64_t worth = most(1, most(total * work / kTaskWork, total * numbers / kTaskNumbers));
  const int64_t tasks = splits > 1 ? blocks : least(blocks, least(kMostTasks, worth));
  auto block_at = [&](int64_t i) -> Block {
    const int64_t chunk = quotient(i, bands), band = remainder(i, bands);
    return {share(rows, bands, band), share(rows, bands, band + 1), share(w.out, chunks, chunk),
            share(w.out, chunks, chunk + 1)};
  };
  parallel_for(call.pool, tasks * splits, [&](int64_t task) {
    const int64_t split = task / tasks, end = share(blocks, tasks, task % tasks + 1);
    const int64_t from = share(all, splits, split), to = share(all, splits, split + 1);
    const int64_t vectors = least(kVectors, c.padded() / Vec<T>::lanes);
    const int64_t first = share(blocks, tasks, task % tasks);
    Ahead ahead;
    Segments<T> segments(reader);
    for (int64_t i = first; i < end; ++i) segments.expect(block_at(i));
    segments.start(thread_scratch(static_cast<size_t>(segments.bytes())));
    for (int64_t i = first; i < end; ++i) {
      const Block block = block_at(i);
      const T* const* table = segments.find(block);
      if (depthwise) {
        block_depthwise(c, reader, block, table);
        continue;
      }
      if (i + 1 < end)
        aim_at(ahead, reader, block, block_at(i + 1),
               (to - from) * block.rows() * parts(block.length(), kRows[vectors]));
      for (int64_t j = from; j < to; ++j)
        block_of_panel(c, reader, block, table, j / panels(c), j % panels(c), ahead);
    }
  });
}

// The pixels under the taps of an output, and those whose windows have an input under them.
SpreadAxis pixels_under(const Spatial& a) {
  return {a.in, a.out, a.window, -a.pad, a.dilation, 1};
}
SpreadAxis pixels_over(const Spatial& a) {
  return {a.out, a.in, a.window, a.pad, -a.dilation, a.stride};
}
// The same convolution for `conv_spread.h`.
template <class T>
Spread<T> spread_of(const Correlation<T>& c, const Spatial* axes, SpreadAxis pixels(const Spatial&)) {
  return {c.x, c.kernel, c.y, c.packed, c.bias, c.relu, c.n, c.depth, c.width, pixels(axes[0]),
          pixels(axes[1]), pixels(axes[2]), c.tap, c.k_step, c.j_step};
}

// data: x, kernel, bias if flags & 1, y; scratch: the kernel, filters of a group rounded up to 16.
// flags & 2: negative results become zero.
template <class T>
void conv(const Call& call) {
  const Problem p(call.params);
  const bool biased = p.flags & 1;
  Correlation<T> c = {};
  c.x = static_cast<const T*>(call.data[0]);
  c.kernel = static_cast<const T*>(call.data[1]);
  c.bias = biased ? static_cast<const T*>(call.data[2]) : nullptr;
  c.y = static_cast<T*>(call.data[biased ? 3 : 2]);
  c.relu = p.flags & 2;
  c.packed = reinterpret_cast<T*>(call.scratch);
  c.n = p.n, c.depth = p.depth(), c.width = p.width(), c.groups = p.groups;
  c.tap = c.depth * p.filters, c.k_step = p.filters, c.j_step = 1, c.j_group = c.width;
  for (int i = 0; i < 3; ++i) {
    c.axis[i] = p.axis[i].forward();
    c.windows[i] = p.axis[i].window;
  }
  const Spread<T> s = spread_of(c, p.axis, pixels_under);
  const bool single_steps = p.axis[0].stride * p.axis[1].stride * p.axis[2].stride == 1;
  if (single_steps && p.groups == 1 && s.suits())
    spread(call, s);
  else
    correlate(call, c);
}

// The phase of inputs i = phase + j * stride: the taps k with i + pad - k * dilation a multiple of
// the stride, from the last to the first, so that they read the gradient in rising order.
Axis phase_of(const Spatial& a, int64_t phase) {
  Axis axis = {a.out, 0, 1, 0, 0, 1, 0, 0, phase, a.stride, a.in};
  axis.out = phase < a.in ? (a.in - phase - 1) / a.stride + 1 : 0;
  int64_t last = -1, second = -1;
  for (int64_t k = a.window - 1; k >= 0; --k) {
    if ((phase + a.pad - k * a.dilation) % a.stride) continue;
    if (last < 0)
      last = k;
    else if (second < 0)
      second = k;
    ++axis.taps;
  }
  if (axis.taps == 0) return axis;
  axis.first = (phase + a.pad - last * a.dilation) / a.stride;
  axis.w_first = last;
  if (second >= 0) {
    axis.w_gap = second - last;
    axis.gap = (last - second) * a.dilation / a.stride;
  }
  return axis;
}

// data: g, kernel, gradient by x; scratch: the kernel, channels of a group rounded up to 16
template <class T>
void conv_input_grad(const Call& call) {
  const Problem p(call.params);
  Correlation<T> c = {};
  c.x = static_cast<const T*>(call.data[0]);
  c.kernel = static_cast<const T*>(call.data[1]);
  c.y = static_cast<T*>(call.data[2]);
  c.packed = reinterpret_cast<T*>(call.scratch);
  c.n = p.n, c.depth = p.width(), c.width = p.depth(), c.groups = p.groups;
  c.tap = c.width * p.filters, c.k_step = 1, c.j_step = p.filters, c.k_group = c.depth;
  for (int i = 0; i < 3; ++i) c.windows[i] = p.axis[i].window;
  const Spatial *z = &p.axis[0], *y = &p.axis[1], *w = &p.axis[2];
  const Spread<T> s = spread_of(c, p.axis, pixels_over);
  if (p.groups == 1 && s.suits()) return spread(call, s);
  const int64_t phases = z->stride * y->stride * w->stride;
  for (int64_t i = 0; i < phases; ++i) {
    c.axis[0] = phase_of(*z, i / (y->stride * w->stride));
    c.axis[1] = phase_of(*y, i / w->stride % y->stride);
    c.axis[2] = phase_of(*w, i % w->stride);
    correlate(call, c);
  }
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(conv, {"conv_f32", conv<float>}, {"conv_f64", conv<double>},
               {"conv_input_grad_f32", conv_input_grad<float>},
               {"conv_input_grad_f64", conv_input_grad<double>})
