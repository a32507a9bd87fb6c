// The gradient of a convolution by its kernel: for each tap and channel a sum over all pixels.
//
// Tiles of channels times vectors of filters are summed in registers over the pixels of a block
// and added to one of a fixed number of partial results, which are added up at the end: how many
// there are and what they cover depends on sizes alone.
//
// Few filters fill few lanes. Where there are fewer of them than channels, and pixels enough for
// more than one partial result, x and the cotangent change places: the gradient by the kernel that
// makes x of the cotangent has the same numbers, filters before channels and its taps from the last
// to the first. A pixel of x then meets the padding around the cotangent: one that is not a number
// reaches every tap.
#include "conv_geometry.h"
#include "conv_tile.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

// Pixels of a block, whose gradient then stays in the first cache from tile to tile; more where
// there are so few tiles that making a block takes as long.
constexpr int64_t kBlockPixels = 128, kFewTiles = 8;

template <class T>
struct KernelGrad {
  const T *x, *g;
  T* partials;
  Problem p;
  Reader<T> reader;
  int64_t count, bands, chunks;  // partial results; blocks by rows and within a row
  int64_t splits;                // shares of the work on a partial result

  int64_t rows() const { return p.n * p.axis[0].out * p.axis[1].out; }
  int64_t size() const { return p.window() * p.depth() * p.filters; }
  int64_t pitch() const { return round_up(p.width(), Vec<T>::lanes); }
  bool copies_g() const {
    return (pitch() != p.width() || reinterpret_cast<size_t>(g) % sizeof(Vec<T>)) && !depthwise();
  }
  bool depthwise() const { return p.depth() == 1 && p.width() == 1 && p.groups > 1; }
  Block block(int64_t i) const {
    const int64_t chunk = quotient(i, bands), band = remainder(i, bands), length = p.axis[2].out;
    return {share(rows(), bands, band), share(rows(), bands, band + 1),
            share(length, chunks, chunk), share(length, chunks, chunk + 1)};
  }
  int64_t runs() const { return reader.segments(); }
  int64_t run() const { return p.depth() * (reader.merged ? p.axis[2].window : 1); }
  int64_t panels() const { return parts(pitch(), vectors() * Vec<T>::lanes); }
  int64_t vectors() const { return least(kVectors, pitch() / Vec<T>::lanes); }  // of a panel
  int64_t tiles() const { return runs() * panels() * p.groups * parts(run(), kRows[vectors()]); }
};

// Addresses of the gradient's rows; rows whose filters do not fill vectors are copied to do so.
template <class T>
const T** rows_of_g(const KernelGrad<T>& k, const Block& b, char* memory) {
  auto** table = reinterpret_cast<const T**>(memory);
  const int64_t f = k.p.filters, out = k.p.axis[2].out;
  T* copy = reinterpret_cast<T*>(memory + round_up(b.rows() * 8, 64));
  for (int64_t r = b.r0; r < b.r1; ++r) {
    const T* row = k.g + (r * out + b.x0) * f;
    table[r - b.r0] = row;
    if (!k.copies_g()) continue;
    table[r - b.r0] = copy;
    const int64_t width = k.p.width(), pitch = k.pitch();
    for (int64_t i = 0; i < b.length() * k.p.groups; ++i, copy += pitch) {
      __builtin_memcpy(copy, row + i * width, static_cast<size_t>(width) * sizeof(T));
      for (int64_t j = width; j < pitch; ++j) copy[j] = T(0);
    }
  }
  return table;
}

template <class T>
size_t bytes_of_g(const KernelGrad<T>& k, const Block& b) {
  int64_t copied = k.copies_g() ? b.rows() * b.length() * k.p.groups * k.pitch() : 0;
  return static_cast<size_t>(round_up(b.rows() * 8, 64) + 64) +
         static_cast<size_t>(copied) * sizeof(T);
}

// One panel of filters for one run of channels under a tap.
template <class T>
void panel_of_run(const KernelGrad<T>& k, const Block& b, const T* const* xs, const T* const* gs,
                  int64_t group, int64_t run, int64_t panel, T* out, bool add, Ahead* ahead) {
  const int64_t lanes = Vec<T>::lanes, from = panel * k.vectors() * lanes;
  const int64_t vectors = least(k.vectors(), (k.pitch() - from) / lanes);
  const int64_t columns = least(vectors * lanes, k.p.width() - from);
  const Pieces pieces(k.run(), kRows[vectors]);
  const GradTile<T> small = find_grad<T>(vectors, pieces.small);
  const GradTile<T> larger = find_grad<T>(vectors, pieces.size(0));
  const int64_t g_pixel = k.copies_g() ? k.p.groups * k.pitch() : k.p.filters;
  const int64_t column = group * (k.copies_g() ? k.pitch() : k.p.width()) + from;
  out += run * k.run() * k.p.filters + group * k.p.width() + from;
  int64_t offset = group * k.p.depth();
  for (int64_t i = 0; i < pieces.count; ++i) {
    ahead[0].step();
    ahead[1].step();
    (i < pieces.larger ? larger : small)(xs + run, gs, b.rows(), k.runs(), offset, column,
                                         b.length(), k.reader.pixel(), g_pixel, out, k.p.filters,
                                         columns, add);
    offset += pieces.size(i);
    out += pieces.size(i) * k.p.filters;
  }
}

// Vectors over channels, one tap at a time.
template <class T>
void depthwise_run(const KernelGrad<T>& k, const Block& b, const T* const* xs, const T* const* gs,
                   int64_t run, T* out, bool add) {
  using X = Vec<T>;
  const int64_t c = k.p.groups, pixel = k.reader.pixel();
  for (int64_t at = 0; at < c; at += X::lanes) {
    const auto mask = X::mask(least(X::lanes, c - at));
    X even = X::zero(), odd = X::zero();
    for (int64_t r = 0; r < b.rows(); ++r) {
      const T* x = xs[r * k.runs() + run];
      if (!x) continue;
      x += at;
      const T* g = gs[r] + at;
      int64_t i = 0;
      for (; i + 2 <= b.length(); i += 2) {
        even = fma(X::load(x + i * pixel, mask), X::load(g + i * c, mask), even);
        odd = fma(X::load(x + (i + 1) * pixel, mask), X::load(g + (i + 1) * c, mask), odd);
      }
      if (i < b.length()) even = fma(X::load(x + i * pixel, mask), X::load(g + i * c, mask), even);
    }
    T* to = out + run * c + at;
    even = even + odd;
    if (add) even = even + X::load(to, mask);
    even.store(to, mask);
  }
}

// One share of the work for one partial result: a range of (group, panel, run) over its blocks.
template <class T>
void partial(const KernelGrad<T>& k, int64_t which, int64_t split) {
  const int64_t blocks = k.bands * k.chunks;
  const int64_t first = share(blocks, k.count, which), last = share(blocks, k.count, which + 1);
  const int64_t all = k.runs() * (k.depthwise() ? 1 : k.panels() * k.p.groups);
  T* out = k.partials + which * k.size();
  const int64_t from = share(all, k.splits, split), to = share(all, k.splits, split + 1);
  Segments<T> segments(k.reader);
  size_t g_bytes = 0;
  for (int64_t i = first; i < last; ++i) {
    segments.expect(k.block(i));
    const size_t bytes = bytes_of_g(k, k.block(i));
    if (bytes > g_bytes) g_bytes = bytes;
  }
  char* memory = thread_scratch(static_cast<size_t>(segments.bytes()) + g_bytes);
  segments.start(memory);
  Ahead ahead[2];
  for (int64_t i = first; i < last; ++i) {
    const Block block = k.block(i);
    if (i + 1 < last && !k.depthwise()) {
      const Block next = k.block(i + 1);
      const int64_t steps = (to - from) * parts(k.run(), kRows[k.vectors()]);
      const int64_t size = static_cast<int64_t>(sizeof(T)) * k.p.filters, out_row = k.p.axis[2].out;
      aim_at(ahead[0], k.reader, block, next, steps);
      ahead[1].aim(k.g + (next.r0 * out_row + next.x0) * k.p.filters, next.rows(),
                   next.length() * size, out_row * size, steps);
    }
    const T* const* xs = segments.find(block);
    const T* const* gs = rows_of_g(k, block, memory + segments.bytes());
    for (int64_t j = from; j < to; ++j) {
      const int64_t run = j % k.runs(), rest = j / k.runs();
      if (k.depthwise())
        depthwise_run(k, block, xs, gs, run, out, i > first);
      else
        panel_of_run(k, block, xs, gs, rest / k.panels(), run, rest % k.panels(), out, i > first,
                     ahead);
    }
  }
}

// Adds the partial results, always from the first to the last.
template <class T>
void add_partials(const Call& call, const KernelGrad<T>& k, T* out) {
  const int64_t size = k.size(), runs = most(1, least(64, size * k.count >> 15));
  parallel_for(call.pool, runs, [&](int64_t run) {
    for (int64_t at = share(size, runs, run); at < share(size, runs, run + 1);) {
      const int64_t end = least(at + 1024, share(size, runs, run + 1));
      if (out != k.partials)
        __builtin_memcpy(out + at, k.partials + at, static_cast<size_t>(end - at) * sizeof(T));
      for (int64_t part = 1; part < k.count; ++part) {
        const T* more = k.partials + part * size;
        for (int64_t i = at; i < end; ++i) out[i] += more[i];
      }
      at = end;
    }
  });
}

// Whether x and the cotangent should change places: steps of one pixel, and fewer vectors.
template <class T>
bool turns(const Problem& p) {
  constexpr int64_t L = Vec<T>::lanes;
  for (const Spatial& a : p.axis)
    if (a.stride != 1) return false;
  return p.groups == 1 && 4 * p.filters * parts(p.channels, L) < 3 * p.channels * parts(p.filters, L);
}

// The problem whose image is the cotangent and whose cotangent is the image.
Problem turned(Problem p) {
  const int64_t channels = p.channels;
  p.channels = p.filters, p.filters = channels;
  for (Spatial& a : p.axis)
    a = {a.out, a.in, a.window, 1, a.dilation, (a.window - 1) * a.dilation - a.pad};
  return p;
}

// out[tap][channel][filter] = from[last tap - tap][filter][channel]
template <class T>
void turn_back(const Problem& p, const T* from, T* out) {
  const int64_t c = p.channels, f = p.filters;
  for (int64_t tap = p.window() - 1; tap >= 0; --tap, from += c * f)
    for (int64_t i = 0; i < c; ++i)
      for (int64_t j = 0; j < f; ++j) out[(tap * c + i) * f + j] = from[j * c + i];
}

// data: x, g, gradient by the kernel. params: as conv, then the number of partial results.
// scratch: as many times the kernel, if there is more than one
template <class T>
void conv_kernel_grad(const Call& call) {
  const Problem asked(call.params);
  T* out = static_cast<T*>(call.data[2]);
  const int64_t count = most(1, call.params[23]);
  const bool turn = count > 1 && turns<T>(asked);
  const Problem p = turn ? turned(asked) : asked;
  Axis axes[3];
  for (int i = 0; i < 3; ++i) axes[i] = p.axis[i].forward();
  const T* x = static_cast<const T*>(call.data[turn ? 1 : 0]);
  KernelGrad<T> k = {x, static_cast<const T*>(call.data[turn ? 0 : 1]),
                     count > 1 ? reinterpret_cast<T*>(call.scratch) : out, p,
                     Reader<T>(x, p.channels, axes, p.groups == 1), count, 1, 1, 1};
  const int64_t length = axes[2].out;
  if (k.size() == 0) return;
  if (k.rows() * length == 0) {
    __builtin_memset(out, 0, static_cast<size_t>(k.size()) * sizeof(T));
    return;
  }
  const int64_t pixels = kBlockPixels * (!k.depthwise() && k.tiles() <= kFewTiles ? 4 : 1);
  k.chunks = parts(length, pixels + pixels / 2);
  k.bands = parts(k.rows(), most(1, pixels / parts(length, k.chunks)));
  k.count = least(k.count, k.bands * k.chunks);
  // Few pixels and large kernels: the kernel is shared out too.
  const int64_t all = k.runs() * (k.depthwise() ? 1 : k.panels() * p.groups);
  const int64_t work = k.size() * (k.rows() * length / k.count);
  k.splits = k.count >= 16 ? 1 : most(1, least(all, least(work >> 21, 32 / k.count)));
  parallel_for(call.pool, k.count * k.splits,
               [&](int64_t task) { partial(k, task / k.splits, task % k.splits); });
  if (k.partials != out) add_partials(call, k, turn ? k.partials : out);
  if (turn) turn_back(asked, k.partials, out);
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(conv_kernel_grad, {"conv_kernel_grad_f32", conv_kernel_grad<float>},
               {"conv_kernel_grad_f64", conv_kernel_grad<double>})
