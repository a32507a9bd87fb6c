// Convolutions of 3 x 3 and 5 x 5 windows at stride one by Winograd's minimal filtering: a quarter,
// or 36 hundredths, of the products. Per block of tiles: values at the points, 36 matrix products
// of values, and the sums read off. The gradient by the input is the same with the turned kernel,
// the gradient by the kernel the transposed problem.
#include "conv_geometry.h"
#include "winograd.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

// Values of one block of tiles, in bytes: a third of the second cache. The least and the most tiles.
constexpr int64_t kBlockBytes = 288 << 10, kLeastTiles = 20, kMostTiles = 64;
constexpr int64_t kLeastImages = 16;  // for one task each
constexpr int64_t kWork = int64_t(1) << 21;  // products in a task, at least

using X = Vec<float>;

int64_t whole_vectors(int64_t channels) { return round_up(channels, X::lanes); }

int64_t tiles_of_block(int64_t read, int64_t written) {
  const int64_t fit = kBlockBytes / (kPlanes * 4 * (whole_vectors(read) + whole_vectors(written)));
  return most(kLeastTiles, least(kMostTiles, fit));
}

// The kernel's values at the points: [plane][panel of channels written][channel read][lane].
struct Weights {
  const float* kernel;  // [tap][channel][filter]
  float* packed;
  int64_t channels, filters;
  bool turned;    // filters are read and channels written
  bool reversed;  // taps from the last to the first, if turned

  int64_t read() const { return turned ? filters : channels; }
  int64_t written() const { return turned ? channels : filters; }
  int64_t width() const { return whole_vectors(written()); }
  int64_t panels() const { return parts(width(), kVectors * X::lanes); }
  int64_t lanes(int64_t panel) const {
    return least(kVectors * X::lanes, width() - panel * kVectors * X::lanes);
  }
  float* at(int64_t plane, int64_t panel) const {
    return packed + (plane * width() + panel * kVectors * X::lanes) * read();
  }
};

// The taps that `tap` gives, of the channel `read` and the vector of channels written at `from`.
template <int R, class Tap>
KERASISH_INLINE void pack_one(const Weights& w, int64_t read, int64_t from, const Tap& tap) {
  const int64_t panel = from / (kVectors * X::lanes), lane = from % (kVectors * X::lanes);
  float* const to = w.at(0, panel) + read * w.lanes(panel) + lane;
  const int64_t apart = w.width() * w.read();
  turn<Evaluate<X, R, Divided>>(
      tap, [=](int i, int j, X value) { value.store(to + (i * kEdge + j) * apart); });
}

// The vector of channels written that begins at `from`, for all channels read.
template <int R>
void pack_vector(const Weights& w, int64_t from) {
  const auto mask = X::mask(least(X::lanes, w.written() - from));
  const int64_t tap = w.channels * w.filters;
  if (!w.turned) {
    for (int64_t c = 0; c < w.channels; ++c) {
      const float* source = w.kernel + c * w.filters + from;
      pack_one<R>(w, c, from,
                  [&](int i, int j) { return X::load(source + (i * R + j) * tap, mask); });
    }
    return;
  }
  const int64_t rows = least(X::lanes, w.channels - from);
  for (int64_t f = 0; f < w.filters; f += X::lanes) {
    const int64_t columns = least(X::lanes, w.filters - f);
    const auto part = X::mask(columns);
    alignas(64) float turned[R * R][X::lanes][X::lanes];
    for (int t = 0; t < R * R; ++t) {
      X square[X::lanes];
      const float* source = w.kernel + (w.reversed ? R * R - 1 - t : t) * tap + from * w.filters + f;
      for (int64_t c = 0; c < X::lanes; ++c)
        square[c] = c < rows ? X::load(source + c * w.filters, part) : X::zero();
      transpose(square);
      for (int64_t k = 0; k < X::lanes; ++k) square[k].store(turned[t][k]);
    }
    for (int64_t k = 0; k < columns; ++k)
      pack_one<R>(w, f + k, from, [&](int i, int j) { return X::load(turned[i * R + j][k]); });
  }
}

template <int R>
struct Filtering {
  static constexpr int sums = kEdge + 1 - R;
  Tiling in;
  const float* images;
  Weights weights;
  const float* bias;  // or null
  bool relu;
  float* y;
  int64_t height, width;  // of y
  // The transposed problem: tiles of what is read are spread over y, from so many pixels before.
  bool spread;
  int64_t before_y, before_x;
};

// Sums of tiles from the products at the points, with bias and activation.
template <int R>
void store_tiles(const Filtering<R>& f, const Planes& products, int64_t first, int64_t last) {
  constexpr int M = Filtering<R>::sums;
  const int64_t filters = f.weights.written();
  const X low = X::broadcast(f.relu ? 0.0f : -__builtin_inff());
  f.in.each(first, last, [&](int64_t tile, int64_t image, int64_t y, int64_t x) {
    y += f.in.pad_y, x += f.in.pad_x;
    float* const to = f.y + ((image * f.height + y) * f.width + x) * filters;
    const int64_t rows = least(M, f.height - y), columns = least(M, f.width - x);
    for (int64_t c = 0; c < filters; c += X::lanes) {
      const float* const from = products.at(0, tile) + c;
      const auto load = [=](int i, int j) {
        return X::load(from + (i * kEdge + j) * products.apart);
      };
      const auto mask = X::mask(least(X::lanes, filters - c));
      const X bias = f.bias ? X::load(f.bias + c, mask) : X::zero();
      if (rows == M && columns == M && c + X::lanes <= filters)
        turn<Collect<X, M, Plain>>(load, [&](int i, int j, X value) {
          max(low, value + bias).store(to + (i * f.width + j) * filters + c);
        });
      else
        turn<Collect<X, M, Plain>>(load, [&](int i, int j, X value) {
          if (i < rows && j < columns)
            max(low, value + bias).store(to + (i * f.width + j) * filters + c, mask);
        });
    }
  });
}

// The transpose of reading a tile's pixels: all 36 are added to the images, which begin as zeros.
template <int R>
void spread_tiles(const Filtering<R>& f, const Planes& products, int64_t first, int64_t last) {
  const int64_t channels = f.weights.written();
  f.in.each(first, last, [&](int64_t tile, int64_t image, int64_t y, int64_t x) {
    y -= f.before_y, x -= f.before_x;
    float* const to = f.y + ((image * f.height + y) * f.width + x) * channels;
    const bool inside = y >= 0 && x >= 0 && y + kEdge <= f.height && x + kEdge <= f.width;
    for (int64_t c = 0; c < channels; c += X::lanes) {
      const float* const from = products.at(0, tile) + c;
      const auto load = [=](int i, int j) {
        return X::load(from + (i * kEdge + j) * products.apart);
      };
      const auto mask = X::mask(least(X::lanes, channels - c));
      if (inside && c + X::lanes <= channels)
        turn<PointsToPixels<X>>(load, [&](int i, int j, X value) {
          float* pixel = to + (i * f.width + j) * channels + c;
          (X::load(pixel) + value).store(pixel);
        });
      else
        turn<PointsToPixels<X>>(load, [&](int i, int j, X value) {
          if (y + i < 0 || y + i >= f.height || x + j < 0 || x + j >= f.width) return;
          float* pixel = to + (i * f.width + j) * channels + c;
          (X::load(pixel, mask) + value).store(pixel, mask);
        });
    }
  });
}

void multiply_planes(const Weights& w, const Planes& values, const Planes& products,
                     int64_t tiles) {
  const Finish<float> finish = {nullptr, false, false};
  for (int64_t plane = 0; plane < kPlanes; ++plane)
    for (int64_t panel = 0; panel < w.panels(); ++panel) {
      const int64_t lanes = w.lanes(panel), vectors = lanes / X::lanes;
      const Pieces pieces(tiles, kRows[vectors]);
      const auto small = find_forward<float>(vectors, pieces.small, values.channels);
      const auto larger = find_forward<float>(vectors, pieces.size(0), values.channels);
      const float* from = values.at(plane, 0);
      float* to = products.at(plane, 0) + panel * kVectors * X::lanes;
      for (int64_t i = 0; i < pieces.count; ++i) {
        (i < pieces.larger ? larger : small)(&from, 1, 0, w.read(), values.channels,
                                             w.at(plane, panel), to, products.channels, lanes,
                                             finish);
        from += pieces.size(i) * values.channels;
        to += pieces.size(i) * products.channels;
      }
    }
}

template <int R>
void filter(const Call& call, const Filtering<R>& f) {
  const Weights& w = f.weights;
  const int64_t tiles = f.in.count();
  if (tiles == 0 || w.written() == 0) return;
  const int64_t vectors = w.width() / X::lanes, work = w.read() * w.width();
  const int64_t packs = most(1, least(vectors, work * kPlanes / kWork));
  parallel_for(call.pool, packs, [&](int64_t i) {
    for (int64_t v = share(vectors, packs, i); v < share(vectors, packs, i + 1); ++v)
      pack_vector<R>(w, v * X::lanes);
  });
  // Tiles that overlap where they are spread belong to one task.
  const int64_t together = f.spread ? f.in.tall * f.in.wide : 1;
  const int64_t limit = tiles_of_block(w.read(), w.written());
  const int64_t runs = f.spread ? f.in.n : parts(tiles, limit);
  const int64_t tasks = most(1, least(runs, tiles * work * kPlanes / kWork));
  const int64_t read = whole_vectors(w.read());
  const int64_t read_apart = Planes::apart_of(limit, read);
  const int64_t written_apart = Planes::apart_of(limit, w.width());
  parallel_for(call.pool, tasks, [&](int64_t task) {
    const int64_t floats = kPlanes * (read_apart + written_apart) + read;
    float* memory = reinterpret_cast<float*>(thread_scratch(static_cast<size_t>(floats) * 4));
    __builtin_memset(memory, 0, static_cast<size_t>(read) * 4);
    const Planes values = {memory + read, read, read_apart};
    const Planes products = {values.memory + kPlanes * read_apart, w.width(), written_apart};
    const int64_t start = share(tiles / together, tasks, task) * together;
    const int64_t end = share(tiles / together, tasks, task + 1) * together;
    if (f.spread) {
      const int64_t image = f.height * f.width * w.written();
      __builtin_memset(f.y + start / together * image, 0,
                       static_cast<size_t>((end - start) / together * image) * 4);
    }
    const int64_t blocks = parts(end - start, limit);
    for (int64_t i = 0; i < blocks; ++i) {
      const int64_t first = start + share(end - start, blocks, i);
      const int64_t last = start + share(end - start, blocks, i + 1);
      if (f.spread)
        fill_planes<Evaluate<X, Filtering<R>::sums, Plain>>(f.in, f.images, memory, first, last,
                                                            values);
      else
        fill_planes<PixelsToPoints<X>>(f.in, f.images, memory, first, last, values);
      multiply_planes(w, values, products, last - first);
      if (f.spread)
        spread_tiles(f, products, first, last);
      else
        store_tiles(f, products, first, last);
    }
  });
}

// The tiling of images whose sums are `out` pixels.
Tiling tiling_of(int64_t n, const Spatial& y, const Spatial& x, int64_t step, int64_t channels) {
  return {n, parts(y.out, step), parts(x.out, step), step, y.pad, x.pad, y.in, x.in, channels};
}

template <int R>
void forward(const Call& call, const Problem& p) {
  const bool biased = p.flags & 1;
  const Spatial &y = p.axis[1], &x = p.axis[2];
  Filtering<R> f = {};
  f.in = tiling_of(p.n, y, x, Filtering<R>::sums, p.channels);
  f.images = static_cast<const float*>(call.data[0]);
  f.weights = {static_cast<const float*>(call.data[1]), reinterpret_cast<float*>(call.scratch),
               p.channels, p.filters, false, false};
  f.bias = biased ? static_cast<const float*>(call.data[2]) : nullptr;
  f.relu = p.flags & 2;
  f.y = static_cast<float*>(call.data[biased ? 3 : 2]);
  f.height = y.out, f.width = x.out;
  filter(call, f);
}

// The forward problem with the reversed kernel; or, for enough images, the transposed problem where
// it has fewer tiles, as where nothing is padded.
template <int R>
void input_grad(const Call& call, const Problem& p) {
  constexpr int M = Filtering<R>::sums;
  const Spatial &y = p.axis[1], &x = p.axis[2];
  Filtering<R> f = {};
  const Spatial tall = {y.out, y.in, R, 1, 1, R - 1 - y.pad};
  const Spatial wide = {x.out, x.in, R, 1, 1, R - 1 - x.pad};
  f.in = tiling_of(p.n, tall, wide, M, p.filters);
  const Tiling spread = {p.n, parts(y.out, M), parts(x.out, M), M, 0, 0, y.out, x.out, p.filters};
  if (p.n >= kLeastImages && 10 * spread.count() <= 9 * f.in.count()) {
    f.spread = true;
    f.in = spread;
    f.before_y = y.pad, f.before_x = x.pad;
  }
  f.images = static_cast<const float*>(call.data[0]);
  f.weights = {static_cast<const float*>(call.data[1]), reinterpret_cast<float*>(call.scratch),
               p.channels, p.filters, true, !f.spread};
  f.y = static_cast<float*>(call.data[2]);
  f.height = y.in, f.width = x.in;
  filter(call, f);
}

// Adds the products of a block's values, for all planes: [plane][channel][filter].
void add_products(const Planes& xs, const Planes& gs, int64_t channels, int64_t tiles, float* out,
                  bool add) {
  const int64_t width = gs.channels;
  for (int64_t plane = 0; plane < kPlanes; ++plane)
    for (int64_t from = 0; from < width; from += kVectors * X::lanes) {
      const int64_t lanes = least(kVectors * X::lanes, width - from), vectors = lanes / X::lanes;
      const Pieces pieces(channels, kRows[vectors]);
      const auto small = find_grad<float>(vectors, pieces.small);
      const auto larger = find_grad<float>(vectors, pieces.size(0));
      const float *x = xs.at(plane, 0), *g = gs.at(plane, 0);
      float* to = out + plane * channels * width + from;
      int64_t offset = 0;
      for (int64_t i = 0; i < pieces.count; ++i) {
        (i < pieces.larger ? larger : small)(&x, &g, 1, 0, offset, from, tiles, xs.channels, width,
                                             to, width, lanes, add);
        offset += pieces.size(i);
        to += pieces.size(i) * width;
      }
    }
}

// The kernel's gradient from `count` partial sums at the points.
template <int R>
void store_kernel(const Call& call, const Problem& p, const float* partials, int64_t count,
                  float* out) {
  const int64_t width = whole_vectors(p.filters), plane = p.channels * width;
  const int64_t runs = most(1, least(p.channels, plane * kPlanes * count >> 16));
  parallel_for(call.pool, runs, [&](int64_t run) {
    const int64_t end = share(p.channels, runs, run + 1);
    for (int64_t c = share(p.channels, runs, run); c < end; ++c)
      for (int64_t f = 0; f < p.filters; f += X::lanes) {
        const auto mask = X::mask(least(X::lanes, p.filters - f));
        turn<Collect<X, R, Divided>>(
            [=](int i, int j) {
              const float* from = partials + (i * kEdge + j) * plane + c * width + f;
              X total = X::load(from);
              for (int64_t k = 1; k < count; ++k)
                total = total + X::load(from + k * kPlanes * plane);
              return total;
            },
            [&](int i, int j, X value) {
              value.store(out + ((i * R + j) * p.channels + c) * p.filters + f, mask);
            });
      }
  });
}

template <int R>
void kernel_grad(const Call& call, const Problem& p) {
  constexpr int M = Filtering<R>::sums;
  const Spatial &y = p.axis[1], &x = p.axis[2];
  const Tiling in = tiling_of(p.n, y, x, M, p.channels);
  Tiling out = in;
  out.pad_y = out.pad_x = 0;
  out.height = y.out, out.width = x.out, out.channels = p.filters;
  const auto* images = static_cast<const float*>(call.data[0]);
  const auto* gs = static_cast<const float*>(call.data[1]);
  float* const partials = reinterpret_cast<float*>(call.scratch);
  const int64_t tiles = in.count(), read = whole_vectors(p.channels);
  const int64_t width = whole_vectors(p.filters), size = kPlanes * p.channels * width;
  const int64_t blocks = parts(tiles, tiles_of_block(p.channels, p.filters));
  const int64_t count = least(call.params[23], blocks), most_tiles = parts(tiles, blocks);
  const int64_t x_apart = Planes::apart_of(most_tiles, read);
  const int64_t g_apart = Planes::apart_of(most_tiles, width);
  parallel_for(call.pool, count, [&](int64_t part) {
    const int64_t floats = kPlanes * (x_apart + g_apart) + read + width;
    float* memory = reinterpret_cast<float*>(thread_scratch(static_cast<size_t>(floats) * 4));
    __builtin_memset(memory, 0, static_cast<size_t>(read + width) * 4);
    const Planes x_values = {memory + read + width, read, x_apart};
    const Planes g_values = {x_values.memory + kPlanes * x_apart, width, g_apart};
    const int64_t start = share(blocks, count, part);
    for (int64_t i = start; i < share(blocks, count, part + 1); ++i) {
      const int64_t first = share(tiles, blocks, i), last = share(tiles, blocks, i + 1);
      fill_planes<PixelsToPoints<X>>(in, images, memory, first, last, x_values);
      fill_planes<Evaluate<X, M, Plain>>(out, gs, memory, first, last, g_values);
      add_products(x_values, g_values, p.channels, last - first, partials + part * size, i > start);
    }
  });
  store_kernel<R>(call, p, partials, count, static_cast<float*>(call.data[2]));
}

// data and params: as the kernels of conv.cpp have them. scratch: 36 times channels read times
// channels written, rounded up to 16; of the kernel gradient as often as it has partial results.
void winograd(const Call& call) {
  const Problem p(call.params);
  p.axis[1].window == 3 ? forward<3>(call, p) : forward<5>(call, p);
}

void winograd_input_grad(const Call& call) {
  const Problem p(call.params);
  p.axis[1].window == 3 ? input_grad<3>(call, p) : input_grad<5>(call, p);
}

void winograd_kernel_grad(const Call& call) {
  const Problem p(call.params);
  p.axis[1].window == 3 ? kernel_grad<3>(call, p) : kernel_grad<5>(call, p);
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(winograd, {"winograd_f32", winograd}, {"winograd_input_grad_f32", winograd_input_grad},
               {"winograd_kernel_grad_f32", winograd_kernel_grad})
