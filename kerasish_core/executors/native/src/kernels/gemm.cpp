// Matrix products: register tiles over blocks that fit the caches.
//
// B is packed into panels as wide as a tile where many rows use it or its columns are not
// contiguous; A is copied a row of tiles at a time where many columns use it, or packed as a whole
// where that many do that its steps should be known to the tile. What is small or skinny is read in
// place. Where both have contiguous sums and one is thin, dot products serve; a few columns of B are
// copied for that, or, where A's columns are contiguous, the transpose is computed.
#include "gemm.h"

#include "gemm_pack.h"
#include "gemm_tile.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int64_t kPanelBytes = 32 << 10;  // of A, near the first cache
constexpr int64_t kSliceBytes = 2048;      // of a row of A, where B is packed
#if defined(KERASISH_ISA_AVX512)
constexpr int64_t kBlockBytes = 768 << 10;  // of B, in the second
constexpr int64_t kPackRows = 8 * kRows;    // rows of A from which packing a plain B pays
#else
constexpr int64_t kBlockBytes = 320 << 10;
constexpr int64_t kPackRows = 5 * kRows;
#endif
constexpr int64_t kMostColumns = 4096;       // of B packed at once
constexpr int64_t kMostRows = 4096 / kRows * kRows;  // of A packed at once
// Rows of A, panels of B and their length from which packing both pays; panels where A need not
// be copied otherwise.
constexpr int64_t kBothRows = 8 * kRows, kBothPanels = 4, kBothLength = 128, kPlainPanels = 24;
constexpr int64_t kChunk = int64_t(2) << 20;  // multiplications of a task: 20 microseconds or more
constexpr int64_t kMostTasks = 24;
constexpr int64_t kDotRows = 4;  // rows, or columns, up to which dot products pay

// ---- how a product is computed: by its sizes and strides alone
enum class Way { in_place, packed, both_packed, dots, copied_dots, turned };

template <class T>
bool plain_b(const Product<T>& p) {
  return p.b_col == 1 || p.n == 1;
}

// Whether rows of A, this many columns of them, hide each other in the first cache.
template <class T>
bool rows_clash(const Product<T>& p, int64_t columns) {
  return p.a_row % static_cast<int64_t>(2048 / sizeof(T)) == 0 && columns > 32;
}

template <class T>
Way way_of(const Product<T>& p) {
  if (p.n > 1 && p.n <= kDotRows && plain_b(p)) {
    // The sum of a vector's lanes takes as long as some 20 terms in the tiles.
    if (p.a_col == 1 && p.m >= 8 && p.k >= 32 * p.n) return Way::copied_dots;
    if (p.a_row == 1 && p.a_col != 1 && p.m >= kColumns<T> && p.k >= 8) return Way::turned;
  }
  if ((p.a_col == 1 || p.k == 1) && (p.b_row == 1 || p.k == 1) && p.k >= kLanes<T> &&
      (p.n == 1 || (!plain_b(p) && (p.m <= kDotRows || p.n <= kDotRows))))
    return Way::dots;
  int64_t panels = p.a_col == 1 && !rows_clash(p, p.k) ? kPlainPanels : kBothPanels;
  if (p.m >= kBothRows && p.n >= panels * kColumns<T> && p.k >= kBothLength)
    return Way::both_packed;
  return plain_b(p) && p.m < kPackRows ? Way::in_place : Way::packed;
}

// Columns of A in a slice: as many as leave a row of tiles in the first cache.
template <class T>
int64_t slice_of(const Product<T>& p, Way way) {
  int64_t fits = kPanelBytes / static_cast<int64_t>(sizeof(T)), rows = least(p.m, kRows);
  int64_t longest = way == Way::in_place ? p.k : kSliceBytes / static_cast<int64_t>(sizeof(T));
  if (way == Way::both_packed) return round_up(parts(p.k, parts(p.k, longest)), 8);
  // Divisions take longer than small products.
  if (p.k * rows <= fits && p.k <= longest) return most(p.k, 1);
  return round_up(parts(p.k, parts(p.k, least(fits / rows, longest))), 4);
}

template <class T>
int64_t block_columns(int64_t n, int64_t slice) {
  int64_t fits = kBlockBytes / static_cast<int64_t>(sizeof(T));
  if (n * slice <= fits) return n;
  return most(fits / slice / kColumns<T> * kColumns<T>, kColumns<T>);
}

// Columns of B packed at once: what the second cache holds, if that is work enough to wait for all
// threads once more.
template <class T>
int64_t stage_columns(const Product<T>& p, Way way, int64_t slice) {
  int64_t widest = block_columns<T>(p.n, slice);
  if (way == Way::packed || p.m * widest * slice < 32 * kChunk) return kMostColumns;
  return round_up(parts(p.n, parts(p.n, widest)), kColumns<T>);
}

// ---- blocks
struct Range {
  int64_t first, last;
  int64_t size() const { return last - first; }
};

// B as a block reads it: element (k0, 0) of its slice, in place or in panels of `panel` elements.
template <class T>
struct Source {
  const T* data;
  int64_t row;
  int64_t panel;  // 0: in place
};

template <class T>
struct Panel {
  const T* data;
  int64_t step;
  bool transposed;
};

// One row of tiles of A, copied to `memory` if that pays.
template <class T>
Panel<T> panel_of(const Product<T>& p, int64_t first, int64_t rows, Range k, bool reused,
                  T* memory) {
  const T* a = p.a + first * p.a_row + k.first * p.a_col;
  if (p.a_col == 1 || p.k == 1) {
    if (!reused || rows == 1 || !rows_clash(p, k.size())) return {a, p.a_row, false};
    int64_t step = round_up(k.size(), kLanes<T>) + kLanes<T>;
    copy_rows(a, p.a_row, rows, k.size(), memory, step);
    return {memory, step, false};
  }
  if ((p.a_row == 1 || p.m == 1) && !reused) return {a, p.a_col, true};
  copy_columns(a, p.a_row, p.a_col, rows, k.size(), memory);
  return {memory, rows, true};
}

// Rows of A in panels of kRows, one after another.
template <class T>
void pack_rows(const Product<T>& p, Range rows, Range k, T* out) {
  for (int64_t r = rows.first; r < rows.last; r += kRows, out += kRows * k.size())
    copy_columns(p.a + r * p.a_row + k.first * p.a_col, p.a_row, p.a_col,
                 least(kRows, rows.last - r), k.size(), out);
}

// `packed`: rows `rows` of A's slice, a row of tiles after the other, or null.
template <class T>
void block(const Product<T>& p, const T* packed, const Source<T>& b, Range rows, Range columns,
           Range k) {
  constexpr int64_t L = kLanes<T>;
  alignas(64) T memory[kPanelBytes / sizeof(T) + kRows * (2 * L + 4)];
  bool reused = columns.size() > 3 * kColumns<T>;
  Tile<T> t{};
  t.k = k.size();
  t.c_row = p.c_row;
  const T* add = k.first == 0 ? p.add : p.c;
  t.add_row = k.first == 0 ? p.add_row : p.c_row;
  bool ends = k.last == p.k;
  t.relu = ends && p.relu;
  const T* bias = ends ? p.bias : nullptr;
  t.b_step = b.row;
  t.ahead = kAhead * b.row;
  int64_t height;
  for (int64_t r = rows.first; r < rows.last; r += height) {
    int64_t left = rows.last - r;
    height = left <= kRows || packed ? least(left, kRows) : parts(left, parts(left, kRows));
    Panel<T> a = packed ? Panel<T>{packed + (r - rows.first) * k.size(), height, true}
                        : panel_of(p, r, height, k, reused, memory);
    t.a = a.data;
    t.a_step = a.step;
    int64_t width;
    for (int64_t c = columns.first; c < columns.last; c += width) {
      int64_t rest = columns.last - c;
      int64_t vectors = rest > L ? 2 : 1;
      if (!b.panel && rest > 3 * L && height <= kWideRows) vectors = 4;
      width = least(rest, vectors * L);
      t.b = b.panel ? b.data + c / kColumns<T> * b.panel : b.data + c;
      t.c = p.c + r * p.c_row + c;
      t.add = add ? add + r * t.add_row + c : nullptr;
      t.bias = bias ? bias + c : nullptr;
      t.columns = width;
      if (packed && height == kRows && vectors == kVectors) {
        packed_tile<T>(t);
        continue;
      }
      Reads how = b.panel ? Reads::panels : width < vectors * L ? Reads::cut : Reads::in_place;
      pick<T>(height, vectors, a.transposed, how)(t);
    }
  }
}

// ---- dot products: both operands have their sums contiguous
template <class T>
struct Dots {
  int64_t k;
  const T *x, *y;
  int64_t x_step, y_step;
};

template <class T, int R, int C>
void dots(const Dots<T>& d, T (&out)[R * C]) {
  using V = Vec<T>;
  V acc[R][C];
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < C; ++j) acc[i][j] = V::zero();
  auto add = [&](auto load) __attribute__((always_inline)) {
    V y[C];
#pragma GCC unroll 4
    for (int j = 0; j < C; ++j) y[j] = load(d.y + j * d.y_step);
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) {
      V x = load(d.x + i * d.x_step);
#pragma GCC unroll 4
      for (int j = 0; j < C; ++j) acc[i][j] = fma(x, y[j], acc[i][j]);
    }
  };
  int64_t i = 0;
  for (; i + V::lanes <= d.k; i += V::lanes) add([&](const T* p) { return V::load(p + i); });
  auto tail = V::mask(d.k - i);
  if (i < d.k) add([&](const T* p) { return V::load(p + i, tail); });
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int c = 0; c < C; ++c) out[r * C + c] = sum(acc[r][c]);
}

template <class T>
KERASISH_INLINE void finish_one(const Product<T>& p, int64_t i, int64_t j, T value) {
  if (p.add) value += p.add[i * p.add_row + j];
  if (p.bias) value += p.bias[j];
  p.c[i * p.c_row + j] = p.relu && value < T(0) ? T(0) : value;
}

template <class T, int R, int C>
void dot_tile(const Product<T>& p, int64_t r, int64_t c) {
  T out[R * C];
  dots<T, R, C>(
      {p.k, p.a + r * p.a_row, p.b + c * p.b_col, p.a_row, p.b_col}, out);
  for (int i = 0; i < R; ++i)
    for (int j = 0; j < C; ++j) finish_one(p, r + i, c + j, out[i * C + j]);
}

template <class T, int R>
void dot_rows(const Product<T>& p, int64_t r, Range columns) {
  int64_t c = columns.first;
  if constexpr (R <= 4)
    for (; c + 4 <= columns.last; c += 4) dot_tile<T, R, 4>(p, r, c);
  for (; c < columns.last; ++c) dot_tile<T, R, 1>(p, r, c);
}

template <class T>
void dot_block(const Product<T>& p, Range rows, Range columns) {
  int64_t r = rows.first;
  if (columns.size() < 4)
    for (; r + 8 <= rows.last; r += 8) dot_rows<T, 8>(p, r, columns);
  for (; r + 4 <= rows.last; r += 4) dot_rows<T, 4>(p, r, columns);
  for (; r + 2 <= rows.last; r += 2) dot_rows<T, 2>(p, r, columns);
  for (; r < rows.last; ++r) dot_rows<T, 1>(p, r, columns);
}

// ---- the whole product
// Tasks of one slice: blocks of rows by blocks of columns.
struct Grid {
  int64_t rows, columns;    // how many blocks
  int64_t height, width;    // of a block
  int64_t count() const { return rows * columns; }
};

// Multiplications, and as many as fit the time of moving the operands of a thin product.
int64_t work_of(int64_t m, int64_t n, int64_t k) {
  return m * n * k + 16 * (m * k + m * n + k * n);
}

Grid grid_of(int64_t m, int64_t n, int64_t k, int64_t widest, int64_t row_unit,
             int64_t column_unit, bool split) {
  if (!split && n <= widest) return {1, 1, m, n};
  int64_t wanted = split ? least(parts(work_of(m, n, k), kChunk), kMostTasks) : 1;
  Grid g;
  g.columns = parts(n, widest);
  g.rows = least(parts(m, 8 * row_unit), parts(wanted, g.columns));
  if (g.rows * g.columns < wanted)
    g.columns = least(parts(n, column_unit), parts(wanted, g.rows));
  if (g.rows * g.columns < wanted) g.rows = least(parts(m, row_unit), parts(wanted, g.columns));
  g.height = parts(m, g.rows);
  if (g.height > 4 * row_unit) g.height = round_up(g.height, row_unit);
  g.width = round_up(parts(n, g.columns), column_unit);
  g.rows = parts(m, g.height);
  g.columns = parts(n, g.width);
  return g;
}

template <class F>
void each(Pool* pool, int64_t count, const F& body) {
  if (pool)
    parallel_for(pool, count, body);
  else
    for (int64_t i = 0; i < count; ++i) body(i);
}

template <class F>
void each_cell(Pool* pool, const Grid& g, Range columns, int64_t m, const F& body) {
  if (g.count() == 1) return body(Range{0, m}, columns);
  // Neighbours share columns of B, which the second cache holds.
  each(pool, g.count(), [&](int64_t i) {
    int64_t r = i % g.rows * g.height, c = columns.first + i / g.rows * g.width;
    body(Range{r, least(r + g.height, m)}, Range{c, least(c + g.width, columns.last)});
  });
}

template <class T>
void run(Pool* pool, Product<T> p, Way way, T* buffer) {
  if (p.m <= 0 || p.n <= 0) return;
  if (way == Way::turned) {
    Product<T> t{p.n, p.m, p.k, p.b, p.b_col, p.b_row, p.a, p.a_col, p.a_row, buffer, p.m};
    run(pool, t, Way::in_place, static_cast<T*>(nullptr));
    for (int64_t i = 0; i < p.m; ++i)
      for (int64_t j = 0; j < p.n; ++j) finish_one(p, i, j, buffer[j * p.m + i]);
    return;
  }
  if (way == Way::copied_dots) {
    for (int64_t i = 0; i < p.k; ++i)
      for (int64_t j = 0; j < p.n; ++j) buffer[j * p.k + i] = p.b[i * p.b_row + j];
    p.b = buffer, p.b_row = 1, p.b_col = p.k;
    way = Way::dots;
  }
  if (way == Way::dots) {
    Grid g = grid_of(p.m, p.n, p.k, p.n, 8, 4, pool != nullptr);
    each_cell(pool, g, {0, p.n}, p.m, [&](Range rows, Range columns) {
      dot_block(p, rows, columns);
    });
    return;
  }
  constexpr int64_t W = kColumns<T>;
  bool both = way == Way::both_packed, packs = both || way == Way::packed;
  int64_t slice = slice_of(p, way), widest = block_columns<T>(p.n, slice);
  // Rows and columns at a time.
  int64_t height = both ? kMostRows : p.m, width = packs ? stage_columns(p, way, slice) : p.n;
  for (int64_t r = 0; r < p.m; r += height) {
    Range rows{r, least(r + height, p.m)};
    for (int64_t k0 = 0; k0 < most(p.k, 1); k0 += slice) {  // once if there is nothing to sum
      Range k{k0, least(k0 + slice, p.k)};
      for (int64_t c = 0; c < p.n; c += width) {
        Range columns{c, least(c + width, p.n)};
        Source<T> source{p.b + k0 * p.b_row, p.b_row, 0};
        T* a = buffer + round_up(least(p.n, width), W) * k.size();  // packed, behind B
        if (packs) {
          int64_t panels = parts(columns.size(), W), size = k.size() * W;
          int64_t together = most(1, (64 << 10) / most(size, 1)), b_tasks = parts(panels, together);
          int64_t a_tasks = both && c == 0 ? parts(rows.size(), 4 * kRows) : 0;
          each(pool, a_tasks + b_tasks, [&](int64_t i) {
            if (i >= b_tasks) {
              int64_t first = rows.first + (i - b_tasks) * 4 * kRows;
              return pack_rows(p, {first, least(first + 4 * kRows, rows.last)}, k,
                               a + (first - rows.first) * k.size());
            }
            for (int64_t j = i * together; j < least((i + 1) * together, panels); ++j) {
              int64_t first = c + j * W;
              pack_panel(p.b + k0 * p.b_row + first * p.b_col, p.b_row, p.b_col, k.size(),
                         least(W, columns.last - first), buffer + j * size);
            }
          });
          source = {buffer - c / W * size, W, size};
        }
        Grid g = grid_of(rows.size(), columns.size(), slice, widest, kRows, W, pool != nullptr);
        if (both) g.height = round_up(g.height, kRows), g.rows = parts(rows.size(), g.height);
        each_cell(pool, g, columns, rows.size(), [&](Range some, Range part) {
          block(p, both ? a + some.first * k.size() : nullptr, source,
                {rows.first + some.first, rows.first + some.last}, part, k);
        });
      }
    }
  }
}

// A column times a matrix of contiguous columns is a row times the transpose.
template <class T>
Product<T> turned(const Product<T>& p) {
  if (p.n != 1 || p.m == 1 || p.c_row != 1 || p.a_row != 1 || p.a_col == 1 || p.bias)
    return p;
  if (p.add && p.add_row != 1) return p;
  Product<T> t = p;
  t.m = 1, t.n = p.m;
  t.a = p.b, t.a_row = p.b_col, t.a_col = p.b_row;
  t.b = p.a, t.b_row = p.a_col, t.b_col = p.a_row;
  t.c_row = t.add_row = p.m;
  return t;
}

template <class T>
int64_t buffer_of(const Product<T>& p, Way way) {
  if (way == Way::turned) return p.m * p.n;
  if (way == Way::copied_dots) return p.k * p.n;
  if (way != Way::packed && way != Way::both_packed) return 0;
  int64_t rows = way == Way::packed ? 0 : least(round_up(p.m, kRows), kMostRows);
  int64_t slice = slice_of(p, way), columns = least(p.n, stage_columns(p, way, slice));
  return slice * (rows + round_up(columns, kColumns<T>));
}

template <class T>
T* scratch(int64_t elements) {
  return elements ? reinterpret_cast<T*>(thread_scratch(static_cast<size_t>(elements) * sizeof(T)))
                  : nullptr;
}

}  // namespace

template <class T>
int64_t gemm_buffer(const Product<T>& product) {
  Product<T> p = turned(product);
  return buffer_of(p, way_of(p));
}

template <class T>
void gemm_serial(const Product<T>& product, T* buffer) {
  Product<T> p = turned(product);
  run<T>(nullptr, p, way_of(p), buffer);
}

template <class T>
void gemm(Pool* pool, const Product<T>& product) {
  Product<T> p = turned(product);
  Way way = way_of(p);
  bool large = work_of(p.m, p.n, p.k) >= 2 * kChunk;
  run(large ? pool : nullptr, p, way, scratch<T>(buffer_of(p, way)));
}

#define KERASISH_GEMM(T)                            \
  template int64_t gemm_buffer(const Product<T>&);  \
  template void gemm_serial(const Product<T>&, T*); \
  template void gemm(Pool*, const Product<T>&);
KERASISH_GEMM(float)
KERASISH_GEMM(double)
#undef KERASISH_GEMM

namespace {

constexpr int64_t kBias = 1, kRelu = 2, kAdd = 4;

// data: a, b, [bias], [add], c
// params: m, n, k, flags; strides of a (row, column), b (row, column), c (row), add (row);
//         number of batch axes; for each its size and the strides of a, b, c, add along it
template <class T>
void gemm_kernel(const Call& call) {
  const int64_t *q = call.params, *axes = q + 11;
  int64_t flags = q[3], rank = q[10];
  Product<T> p{q[0], q[1], q[2], nullptr, q[4], q[5], nullptr, q[6], q[7], nullptr, q[8]};
  const T* a = static_cast<const T*>(call.data[0]);
  const T* b = static_cast<const T*>(call.data[1]);
  int place = 2;
  if (flags & kBias) p.bias = static_cast<const T*>(call.data[place++]);
  const T* add = flags & kAdd ? static_cast<const T*>(call.data[place++]) : nullptr;
  T* c = static_cast<T*>(call.data[place]);
  p.add_row = q[9];
  p.relu = flags & kRelu;
  if (rank == 0) {
    p.a = a, p.b = b, p.c = c, p.add = add;
    gemm(call.pool, p);
    return;
  }
  int64_t count = 1;
  for (int64_t i = 0; i < rank; ++i) count *= axes[5 * i];
  auto one = [&](int64_t index) {
    Product<T> own = p;
    own.a = a, own.b = b, own.c = c, own.add = add;
    for (int64_t i = rank - 1; i >= 0; --i) {
      const int64_t* axis = axes + 5 * i;
      int64_t at = index % axis[0];
      index /= axis[0];
      own.a += at * axis[1], own.b += at * axis[2], own.c += at * axis[3];
      if (add) own.add += at * axis[4];
    }
    return own;
  };
  int64_t work = most(p.m * p.n * p.k, 1);
  if (work >= 8 * kChunk) {
    for (int64_t i = 0; i < count; ++i) gemm(call.pool, one(i));
    return;
  }
  int64_t together = count * work < 2 * kChunk ? most(count, 1) : parts(kChunk, work);
  parallel_for(call.pool, parts(count, together), [&](int64_t task) {
    for (int64_t i = task * together; i < least((task + 1) * together, count); ++i) {
      Product<T> own = one(i);
      gemm_serial(own, scratch<T>(gemm_buffer(own)));
    }
  });
}

// data: out (one element); params: steps. Twelve chains of multiply-adds in registers, for the
// benchmark: 24 * lanes operations a step.
template <class T>
void peak(const Call& call) {
  using V = Vec<T>;
  V acc[12], x = V::broadcast(T(call.params[0] != 0)), y = V::broadcast(T(0));
#pragma GCC unroll 12
  for (int j = 0; j < 12; ++j) acc[j] = V::broadcast(T(call.params[0] + j));  // no two alike
  for (int64_t i = 0; i < call.params[0]; ++i) {
#pragma GCC unroll 12
    for (auto& value : acc) value = fma(value, x, y);
  }
  V total = V::zero();
  for (auto& value : acc) total = total + value;
  *static_cast<T*>(call.data[0]) = sum(total);
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(gemm, {"gemm_f32", gemm_kernel<float>}, {"gemm_f64", gemm_kernel<double>},
               {"peak_f32", peak<float>}, {"peak_f64", peak<double>})
