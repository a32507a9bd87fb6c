// Row by row: softmax and its logarithm, layer and root mean square normalisation with gradients.
// Sums over all rows are kept per task, and tasks are shared out by sizes alone.
#include "rows.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int64_t kMostTasks = 1 << 20;
constexpr int64_t kMostPartials = 64;  // as instructions/norm.py has it
constexpr int64_t kColumns = 64;
constexpr int64_t kShort = 32;  // rows up to this long are computed as columns, many at once

// Rows of n <= kShort numbers beside each other as columns, kColumns apart.
template <class T>
struct Columns {
  T at[kShort * kColumns];
  // The number of columns, whole vectors: what they hold beyond the rows is zero.
  int64_t read(const T* rows, int64_t n, int64_t count) {
    const int64_t width = (count + Vec<T>::lanes - 1) / Vec<T>::lanes * Vec<T>::lanes;
    for (int64_t j = 0; j < count; ++j)
      for (int64_t k = 0; k < n; ++k) at[k * kColumns + j] = rows[j * n + k];
    for (int64_t k = 0; k < n; ++k)
      for (int64_t j = count; j < width; ++j) at[k * kColumns + j] = 0;
    return width;
  }
  void write(T* rows, int64_t n, int64_t count) const {
    for (int64_t j = 0; j < count; ++j)
      for (int64_t k = 0; k < n; ++k) rows[j * n + k] = at[k * kColumns + j];
  }
};

// f(first, count) for rows, kColumns of them at a time.
template <class F>
void by_columns(int64_t begin, int64_t end, const F& f) {
  for (int64_t r = begin; r < end; r += kColumns) f(r, end - r < kColumns ? end - r : kColumns);
}

template <class T>
void softmax_row(const T* x, T* y, int64_t n, bool log_of) {
  const T top = largest(x, n);
  for (int64_t i = 0; i < n; ++i) y[i] = exp(x[i] - top);
  const T all = total<T>(n, [&](auto get, int64_t i) { return get(y + i); });
  if (log_of) {
    const T log_all = log(all);
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - top) - log_all;
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] /= all;
  }
}

// `width` neighbouring columns of `count` elements each, `inner` apart.
template <class T>
void softmax_columns(const T* x, T* y, int64_t count, int64_t inner, int64_t width, bool log_of) {
  T top[kColumns], all[kColumns];
  for (int64_t j = 0; j < width; ++j) top[j] = x[j], all[j] = 0;
  for (int64_t k = 1; k < count; ++k)
    for (int64_t j = 0; j < width; ++j)
      top[j] = x[k * inner + j] > top[j] ? x[k * inner + j] : top[j];
  for (int64_t k = 0; k < count; ++k)
    for (int64_t j = 0; j < width; ++j) {
      const T power = exp(x[k * inner + j] - top[j]);
      all[j] += power;
      y[k * inner + j] = power;
    }
  if (log_of)
    for (int64_t j = 0; j < width; ++j) all[j] = log(all[j]);
  for (int64_t k = 0; k < count; ++k)
    for (int64_t j = 0; j < width; ++j) {
      const int64_t i = k * inner + j;
      y[i] = log_of ? (x[i] - top[j]) - all[j] : y[i] / all[j];
    }
}

// x -> y; outer, count, inner
template <class T, bool log_of>
void softmax(const Call& call) {
  const T* x = static_cast<const T*>(call.data[0]);
  T* y = static_cast<T*>(call.data[1]);
  const int64_t outer = call.params[0], count = call.params[1], inner = call.params[2];
  if (count == 0 || inner == 0) return;
  const Tasks tasks(outer, count * inner * 4, kMostTasks);
  parallel_for(call.pool, tasks.count, [&](int64_t task) {
    if (inner == 1 && count <= kShort) {
      Columns<T> xs, ys;
      by_columns(tasks.begin(task), tasks.end(task, outer), [&](int64_t r, int64_t rows) {
        const int64_t width = xs.read(x + r * count, count, rows);
        softmax_columns(xs.at, ys.at, count, kColumns, width, log_of);
        ys.write(y + r * count, count, rows);
      });
      return;
    }
    for (int64_t r = tasks.begin(task); r < tasks.end(task, outer); ++r) {
      const int64_t at = r * count * inner;
      if (inner == 1) {
        softmax_row(x + at, y + at, count, log_of);
        continue;
      }
      for (int64_t j = 0; j < inner; j += kColumns) {
        const int64_t width = inner - j < kColumns ? inner - j : kColumns;
        softmax_columns(x + at + j, y + at + j, count, inner, width, log_of);
      }
    }
  });
}

template <class T>
void softmax_grad_row(const T* g, const T* y, T* dx, int64_t n, bool log_of) {
  if (log_of) {
    const T all = total<T>(n, [&](auto get, int64_t i) { return get(g + i); });
    KERASISH_INDEPENDENT for (int64_t i = 0; i < n; ++i) dx[i] = g[i] - exp(y[i]) * all;
  } else {
    const T all = total<T>(n, [&](auto get, int64_t i) { return get(g + i) * get(y + i); });
    KERASISH_INDEPENDENT for (int64_t i = 0; i < n; ++i) dx[i] = y[i] * (g[i] - all);
  }
}

template <class T>
void softmax_grad_columns(const T* g, const T* y, T* dx, int64_t count, int64_t inner,
                          int64_t width, bool log_of) {
  T all[kColumns];
  for (int64_t j = 0; j < width; ++j) all[j] = 0;
  for (int64_t k = 0; k < count; ++k)
    for (int64_t j = 0; j < width; ++j)
      all[j] += log_of ? g[k * inner + j] : g[k * inner + j] * y[k * inner + j];
  for (int64_t k = 0; k < count; ++k)
    KERASISH_INDEPENDENT for (int64_t j = 0; j < width; ++j) {
      const int64_t i = k * inner + j;
      dx[i] = log_of ? g[i] - exp(y[i]) * all[j] : y[i] * (g[i] - all[j]);
    }
}

// g, y -> dx (which may be g or y); outer, count, inner
template <class T, bool log_of>
void softmax_grad(const Call& call) {
  const T *g = static_cast<const T*>(call.data[0]), *y = static_cast<const T*>(call.data[1]);
  T* dx = static_cast<T*>(call.data[2]);
  const int64_t outer = call.params[0], count = call.params[1], inner = call.params[2];
  const Tasks tasks(outer, count * inner * 2, kMostTasks);
  parallel_for(call.pool, tasks.count, [&](int64_t task) {
    if (inner == 1 && count <= kShort) {
      Columns<T> gs, ys;
      by_columns(tasks.begin(task), tasks.end(task, outer), [&](int64_t r, int64_t rows) {
        gs.read(g + r * count, count, rows);
        const int64_t width = ys.read(y + r * count, count, rows);
        softmax_grad_columns(gs.at, ys.at, gs.at, count, kColumns, width, log_of);
        gs.write(dx + r * count, count, rows);
      });
      return;
    }
    for (int64_t r = tasks.begin(task); r < tasks.end(task, outer); ++r) {
      const int64_t at = r * count * inner;
      if (inner == 1) {
        softmax_grad_row(g + at, y + at, dx + at, count, log_of);
        continue;
      }
      for (int64_t j = 0; j < inner; j += kColumns) {
        const int64_t width = inner - j < kColumns ? inner - j : kColumns, to = at + j;
        softmax_grad_columns(g + to, y + to, dx + to, count, inner, width, log_of);
      }
    }
  });
}

// x, gamma, [beta] -> y, [mean], inv; rows, n, epsilon. Brackets: unless `rms`.
template <class T, bool rms>
void normalise(const Call& call) {
  const int64_t rows = call.params[0], n = call.params[1];
  const T epsilon = static_cast<T>(real(call.params[2]));
  const T *all = static_cast<const T*>(call.data[0]), *gamma = static_cast<const T*>(call.data[1]);
  const T* beta = rms ? nullptr : static_cast<const T*>(call.data[2]);
  void* const* out = call.data + (rms ? 2 : 3);
  T *result = static_cast<T*>(out[0]), *means = rms ? nullptr : static_cast<T*>(out[1]);
  T* invs = static_cast<T*>(out[rms ? 1 : 2]);
  const Tasks tasks(rows, n, kMostTasks);
  parallel_for(call.pool, tasks.count, [&](int64_t task) {
    for (int64_t r = tasks.begin(task); r < tasks.end(task, rows); ++r) {
      const T* x = all + r * n;
      T* y = result + r * n;
      T mean = 0;
      if (!rms) {
        mean = total<T>(n, [&](auto get, int64_t i) { return get(x + i); }) / static_cast<T>(n);
        means[r] = mean;
      }
      const T power = total<T>(n, [&](auto get, int64_t i) {
        const auto centred = get(x + i) - get.all(mean);
        return centred * centred;
      }) / static_cast<T>(n);
      const T inv = 1 / sqrt(power + epsilon);
      invs[r] = inv;
      if (rms)
        for (int64_t i = 0; i < n; ++i) y[i] = x[i] * inv * gamma[i];
      else
        for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * inv * gamma[i] + beta[i];
    }
  });
}

// g, x, gamma, [mean], inv -> dx, dgamma, [dbeta]; rows, n
template <class T, bool rms>
void normalise_grad(const Call& call) {
  const int64_t rows = call.params[0], n = call.params[1];
  void* const* in = call.data;
  const T *gs = static_cast<const T*>(in[0]), *xs = static_cast<const T*>(in[1]);
  const T *gamma = static_cast<const T*>(in[2]), *means = rms ? nullptr : static_cast<const T*>(in[3]);
  const T* invs = static_cast<const T*>(in[rms ? 3 : 4]);
  void* const* out = in + (rms ? 4 : 5);
  T *dxs = static_cast<T*>(out[0]), *dgamma = static_cast<T*>(out[1]);
  T* dbeta = rms ? nullptr : static_cast<T*>(out[2]);
  T* partials = reinterpret_cast<T*>(call.scratch);  // of each task: dgamma, dbeta
  const Tasks tasks(rows, n, kMostPartials);
  parallel_for(call.pool, tasks.count, [&](int64_t task) {
    T *scale = partials + task * 2 * n, *shift = scale + n;
    for (int64_t i = 0; i < 2 * n; ++i) scale[i] = 0;
    for (int64_t r = tasks.begin(task); r < tasks.end(task, rows); ++r) {
      const T *g = gs + r * n, *x = xs + r * n;
      T* dx = dxs + r * n;
      const T mean = rms ? T(0) : means[r], inv = invs[r];
      const T level = rms ? T(0) : total<T>(n, [&](auto get, int64_t i) {
        return get(g + i) * get(gamma + i);
      }) / static_cast<T>(n);
      const T slope = total<T>(n, [&](auto get, int64_t i) {
        return get(g + i) * get(gamma + i) * ((get(x + i) - get.all(mean)) * get.all(inv));
      }) / static_cast<T>(n);
      for (int64_t i = 0; i < n; ++i) {
        const T u = g[i], xhat = (x[i] - mean) * inv;
        scale[i] += u * xhat;
        if (!rms) shift[i] += u;
        dx[i] = (u * gamma[i] - xhat * slope - level) * inv;
      }
    }
  });
  for (int64_t i = 0; i < n; ++i) dgamma[i] = partials[i];
  for (int64_t i = 0; !rms && i < n; ++i) dbeta[i] = partials[n + i];
  for (int64_t task = 1; task < tasks.count; ++task) {
    const T* more = partials + task * 2 * n;
    for (int64_t i = 0; i < n; ++i) dgamma[i] += more[i];
    for (int64_t i = 0; !rms && i < n; ++i) dbeta[i] += more[n + i];
  }
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(norm, {"softmax_f32", softmax<float, false>}, {"softmax_f64", softmax<double, false>},
               {"log_softmax_f32", softmax<float, true>}, {"log_softmax_f64", softmax<double, true>},
               {"softmax_grad_f32", softmax_grad<float, false>},
               {"softmax_grad_f64", softmax_grad<double, false>},
               {"log_softmax_grad_f32", softmax_grad<float, true>},
               {"log_softmax_grad_f64", softmax_grad<double, true>}, {"layer_norm_f32", normalise<float, false>}, {"layer_norm_f64", normalise<double, false>},
               {"rms_norm_f32", normalise<float, true>}, {"rms_norm_f64", normalise<double, true>},
               {"layer_norm_grad_f32", normalise_grad<float, false>},
               {"layer_norm_grad_f64", normalise_grad<double, false>},
               {"rms_norm_grad_f32", normalise_grad<float, true>},
               {"rms_norm_grad_f64", normalise_grad<double, true>})
