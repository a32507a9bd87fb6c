// Mean and variance, and the sums of batch normalisation's gradient, in one reading of the data.
//
// Blocks of 64 rows are in the first cache for two passes; blocks and tasks are merged by Chan's
// formula, so that nothing cancels. Few columns are taken several rows at a time.
#include "rows.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int64_t kLanes = 64;   // columns that stay in registers
constexpr int64_t kRows = 64;    // of a block
constexpr int64_t kMostParts = 64;  // as instructions/norm.py has it

// Rows of `columns` numbers seen as rows of `wide` = fold * columns.
struct Folded {
  int64_t fold, wide;
  explicit Folded(int64_t columns)
      : fold(columns < kLanes ? kLanes / columns : 1), wide(fold * columns) {}
};

// Merges a set of `m` numbers of mean `other` and squared distance `other2` into one of `n`.
template <class T>
KERASISH_INLINE void merge(T n, T& mean, T& square, T m, T other, T other2) {
  const T distance = other - mean, part = m / (n + m);
  mean += distance * part;
  square += other2 + distance * distance * n * part;
}

// Merges `rows` rows of `width` columns, `pitch` apart, into means and squares of n numbers each.
template <class T>
void absorb(const T* x, int64_t rows, int64_t pitch, int64_t width, int64_t n, T* mean, T* square) {
  for (int64_t first = 0; first < width; first += kLanes) {
    const int64_t lanes = width - first < kLanes ? width - first : kLanes;
    const T* from = x + first;
    T level[kLanes], spread[kLanes];
    auto run = [&](auto size) {
      for (int64_t j = 0; j < size; ++j) level[j] = spread[j] = 0;
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < size; ++j) level[j] += from[r * pitch + j];
      for (int64_t j = 0; j < size; ++j) level[j] /= static_cast<T>(rows);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t j = 0; j < size; ++j) {
          const T centred = from[r * pitch + j] - level[j];
          spread[j] += centred * centred;
        }
    };
    struct Whole {
      constexpr operator int64_t() const { return kLanes; }
    };
    if (lanes == kLanes)
      run(Whole());
    else
      run(lanes);
    T *means = mean + first, *squares = square + first;
    for (int64_t j = 0; j < lanes; ++j)
      merge(static_cast<T>(n), means[j], squares[j], static_cast<T>(rows), level[j], spread[j]);
  }
}

// Means and squared distances of the columns of some rows.
template <class T>
void moments_of(const T* x, int64_t rows, int64_t columns, T* mean, T* square, T* memory) {
  const Folded folded(columns);
  const int64_t wide = folded.wide, long_rows = rows / folded.fold;
  T *means = memory, *squares = memory + wide;
  for (int64_t j = 0; j < 2 * wide; ++j) means[j] = 0;
  for (int64_t r = 0; r < long_rows; r += kRows) {
    const int64_t some = long_rows - r < kRows ? long_rows - r : kRows;
    absorb(x + r * wide, some, wide, wide, r, means, squares);
  }
  for (int64_t j = 0; j < columns; ++j) mean[j] = means[j], square[j] = squares[j];
  for (int64_t k = 1; long_rows && k < folded.fold; ++k)
    for (int64_t j = 0; j < columns; ++j)
      merge(static_cast<T>(long_rows * k), mean[j], square[j], static_cast<T>(long_rows),
            means[k * columns + j], squares[k * columns + j]);
  const int64_t done = long_rows * folded.fold;
  if (done < rows) absorb(x + done * columns, rows - done, columns, columns, done, mean, square);
}

// x -> mean, variance; outer, count, inner
template <class T>
void moments(const Call& call) {
  const T* x = static_cast<const T*>(call.data[0]);
  T *mean = static_cast<T*>(call.data[1]), *variance = static_cast<T*>(call.data[2]);
  const int64_t outer = call.params[0], count = call.params[1], inner = call.params[2];
  if (inner == 1) {  // rows
    const Tasks tasks(outer, count, int64_t(1) << 20);
    parallel_for(call.pool, tasks.count, [&](int64_t task) {
      for (int64_t r = tasks.begin(task); r < tasks.end(task, outer); ++r) {
        const T* row = x + r * count;
        const T n = static_cast<T>(count);
        const T level = total<T>(count, [&](auto get, int64_t i) { return get(row + i); }) / n;
        mean[r] = level;
        variance[r] = total<T>(count, [&](auto get, int64_t i) {
          const auto centred = get(row + i) - get.all(level);
          return centred * centred;
        }) / n;
      }
    });
    return;
  }
  const size_t memory = sizeof(T) * static_cast<size_t>(2 * Folded(inner).wide);
  if (outer > 1) {
    parallel_for(call.pool, outer, [&](int64_t o) {
      T* of = variance + o * inner;
      moments_of(x + o * count * inner, count, inner, mean + o * inner, of,
                 reinterpret_cast<T*>(thread_scratch(memory)));
      for (int64_t j = 0; j < inner; ++j) of[j] /= static_cast<T>(count);
    });
    return;
  }
  T* parts = reinterpret_cast<T*>(call.scratch);  // of each task: means, squares
  const Tasks tasks(count, inner, kMostParts);
  parallel_for(call.pool, tasks.count, [&](int64_t task) {
    const int64_t first = tasks.begin(task), last = tasks.end(task, count);
    T* part = parts + task * 2 * inner;
    moments_of(x + first * inner, last > first ? last - first : 0, inner, part, part + inner,
               reinterpret_cast<T*>(thread_scratch(memory)));
  });
  for (int64_t j = 0; j < inner; ++j) mean[j] = parts[j], variance[j] = parts[inner + j];
  for (int64_t task = 1; task < tasks.count; ++task) {
    const int64_t first = tasks.begin(task), rows = tasks.end(task, count) - first;
    const T* part = parts + task * 2 * inner;
    for (int64_t j = 0; rows > 0 && j < inner; ++j)
      merge(static_cast<T>(first), mean[j], variance[j], static_cast<T>(rows), part[j],
            part[inner + j]);
  }
  for (int64_t j = 0; j < inner; ++j) variance[j] /= static_cast<T>(count);
}

// Adds the sums over `rows` rows of g and of g * (x - mean).
template <class T>
void add_sums(const T* g, const T* x, const T* mean, int64_t rows, int64_t width, T* plain,
              T* centred) {
  for (int64_t first = 0; first < width; first += kLanes) {
    const int64_t lanes = width - first < kLanes ? width - first : kLanes;
    for (int64_t start = 0; start < rows; start += kRows) {
      const int64_t stop = rows - start < kRows ? rows : start + kRows;
      T one[kLanes], two[kLanes];
      auto run = [&](auto size) {
        T level[kLanes];
        for (int64_t j = 0; j < size; ++j) one[j] = two[j] = 0, level[j] = mean[first + j];
        for (int64_t r = start; r < stop; ++r) {
          const T *u = g + r * width + first, *v = x + r * width + first;
          for (int64_t j = 0; j < size; ++j) {
            one[j] += u[j];
            two[j] += u[j] * (v[j] - level[j]);
          }
        }
      };
      struct Whole {
        constexpr operator int64_t() const { return kLanes; }
      };
      if (lanes == kLanes)
        run(Whole());
      else
        run(lanes);
      for (int64_t j = 0; j < lanes; ++j) plain[first + j] += one[j], centred[first + j] += two[j];
    }
  }
}

// g, x, mean -> sum of g, sum of g * (x - mean); rows, columns
template <class T>
void centred_sums(const Call& call) {
  const T *g = static_cast<const T*>(call.data[0]), *x = static_cast<const T*>(call.data[1]);
  const T* mean = static_cast<const T*>(call.data[2]);
  T *plain = static_cast<T*>(call.data[3]), *centred = static_cast<T*>(call.data[4]);
  const int64_t rows = call.params[0], columns = call.params[1];
  if (columns == 0) return;
  const Folded folded(columns);
  const int64_t wide = folded.wide;
  T* parts = reinterpret_cast<T*>(call.scratch);  // of each task: both sums
  const Tasks tasks(rows, columns, kMostParts);
  parallel_for(call.pool, tasks.count, [&](int64_t task) {
    T* memory = reinterpret_cast<T*>(thread_scratch(sizeof(T) * static_cast<size_t>(3 * wide)));
    T *level = memory, *one = memory + wide, *two = one + wide;
    for (int64_t j = 0; j < wide; ++j) level[j] = mean[j % columns], one[j] = two[j] = 0;
    const int64_t first = tasks.begin(task), last = tasks.end(task, rows);
    const int64_t some = last > first ? last - first : 0, long_rows = some / folded.fold;
    const int64_t at = first * columns, done = at + long_rows * wide;
    add_sums(g + at, x + at, level, long_rows, wide, one, two);
    add_sums(g + done, x + done, level, some - long_rows * folded.fold, columns, one, two);
    T* part = parts + task * 2 * columns;
    for (int64_t j = 0; j < columns; ++j) {
      part[j] = one[j], part[columns + j] = two[j];
      for (int64_t k = 1; k < folded.fold; ++k)
        part[j] += one[k * columns + j], part[columns + j] += two[k * columns + j];
    }
  });
  for (int64_t j = 0; j < columns; ++j) {
    T one = 0, two = 0;
    for (int64_t task = 0; task < tasks.count; ++task) {
      one += parts[task * 2 * columns + j];
      two += parts[task * 2 * columns + columns + j];
    }
    plain[j] = one, centred[j] = two;
  }
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(moments, {"moments_f32", moments<float>}, {"moments_f64", moments<double>},
               {"centred_sums_f32", centred_sums<float>},
               {"centred_sums_f64", centred_sums<double>})
