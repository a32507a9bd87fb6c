// Discrete Fourier transforms along one axis, of many rows side by side: a lane of the vectors is a row.
//
// Stockham's algorithm for any radices: each stage reads one buffer and writes the other in the order
// of the next, so that nothing is reordered at the end. For a sequence of n = r * m numbers that lie s
// apart, with a_j = x[q + s (p + j m)]:
//   y[q + s (r p + k)] = w_n^(p k) * sum over j of w_r^(j k) a_j,    w_n = exp(sign 2 pi i / n)
#include "simd.h"

#include "kernel.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int64_t kTask = int64_t(1) << 15;  // numbers of a task

// Numbers with their lanes: element i of the real part is re[i * lanes].
template <class T>
struct Parts {
  T *re, *im;
};

template <class T>
struct Plan {
  int64_t n, sign;
  const int64_t* table;  // cos(2 pi t / n), sin(2 pi t / n) for each t, by their bits
  T cosine(int64_t t) const { return static_cast<T>(real(table[2 * t])); }
  T sine(int64_t t) const { return static_cast<T>(sign) * static_cast<T>(real(table[2 * t + 1])); }
};

template <class T>
struct Complex {
  Vec<T> re, im;
};

template <class T>
KERASISH_INLINE Complex<T> get(const Parts<T>& x, int64_t i) {
  constexpr int64_t L = Vec<T>::lanes;
  return {Vec<T>::load(x.re + i * L), Vec<T>::load(x.im + i * L)};
}

template <class T>
KERASISH_INLINE void put(const Parts<T>& y, int64_t i, Complex<T> value) {
  constexpr int64_t L = Vec<T>::lanes;
  value.re.store(y.re + i * L);
  value.im.store(y.im + i * L);
}

template <class T>
KERASISH_INLINE Complex<T> plus(Complex<T> a, Complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}

template <class T>
KERASISH_INLINE Complex<T> minus(Complex<T> a, Complex<T> b) {
  return {a.re - b.re, a.im - b.im};
}

template <class T>
KERASISH_INLINE Complex<T> times(Complex<T> a, Complex<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

// One stage for each p: radix 2 and 4 by additions, others by their definition.
template <class T>
void stage(const Plan<T>& plan, int64_t r, int64_t m, int64_t s, Parts<T> x, Parts<T> y) {
  using V = Vec<T>;
  const V sign = V::broadcast(static_cast<T>(plan.sign));
  for (int64_t p = 0; p < m; ++p) {
    const auto factor = [&](int64_t t) {
      return Complex<T>{V::broadcast(plan.cosine(t)), V::broadcast(plan.sine(t))};
    };
    Complex<T> turns[4];  // of the two short ways, for all q
    for (int64_t k = 0; k < 4; ++k) turns[k] = factor(k < r ? p * k * s : 0);
    const auto turned = [&](int64_t k, Complex<T> value) {
      return p == 0 || k == 0 ? value : times(value, k < 4 ? turns[k] : factor(p * k * s));
    };
    for (int64_t q = 0; q < s; ++q) {
      const int64_t from = q + s * p, step = s * m, to = q + s * r * p;
      if (r == 2) {
        const Complex<T> a = get(x, from), b = get(x, from + step);
        put(y, to, plus(a, b));
        put(y, to + s, turned(1, minus(a, b)));
      } else if (r == 4) {
        const Complex<T> a = get(x, from), b = get(x, from + step);
        const Complex<T> c = get(x, from + 2 * step), d = get(x, from + 3 * step);
        const Complex<T> even = plus(a, c), odd = plus(b, d), left = minus(a, c), e = minus(b, d);
        const Complex<T> right{V::zero() - sign * e.im, sign * e.re};  // times sign i
        put(y, to, plus(even, odd));
        put(y, to + s, turned(1, plus(left, right)));
        put(y, to + 2 * s, turned(2, minus(even, odd)));
        put(y, to + 3 * s, turned(3, minus(left, right)));
      } else {
        for (int64_t k = 0; k < r; ++k) {
          Complex<T> total = get(x, from);
          for (int64_t j = 1; j < r; ++j) {
            const Complex<T> root = factor(j * k % r * (plan.n / r));
            total = plus(total, times(get(x, from + j * step), root));
          }
          put(y, to + k * s, turned(k, total));
        }
      }
    }
  }
}

// The rows of one block: where each begins, and how far apart its numbers are.
template <class T>
struct Rows {
  int64_t base[Vec<T>::lanes];
  int64_t used, n, step;

  bool full() const { return used == Vec<T>::lanes; }
  bool neighbours() const { return full() && base[used - 1] - base[0] == used - 1; }
};

template <class T>
void take(const Rows<T>& rows, const T* x, T* out) {
  using V = Vec<T>;
  constexpr int64_t L = V::lanes;
  int64_t t = 0;
  if (rows.neighbours() && rows.step > 1) {
    for (; t < rows.n; ++t) V::load(x + rows.base[0] + t * rows.step).store(out + t * L);
  } else if (rows.full() && rows.step == 1) {
    for (; t + L <= rows.n; t += L) {
      V square[L];
      for (int64_t lane = 0; lane < L; ++lane) square[lane] = V::load(x + rows.base[lane] + t);
      transpose<T>(square);
      for (int64_t i = 0; i < L; ++i) square[i].store(out + (t + i) * L);
    }
  }
  for (; t < rows.n; ++t)
    for (int64_t lane = 0; lane < L; ++lane)
      out[t * L + lane] = lane < rows.used ? x[rows.base[lane] + t * rows.step] : T(0);
}

template <class T>
void give(const Rows<T>& rows, const T* x, T* out) {
  using V = Vec<T>;
  constexpr int64_t L = V::lanes;
  int64_t t = 0;
  if (rows.neighbours() && rows.step > 1) {
    for (; t < rows.n; ++t) V::load(x + t * L).store(out + rows.base[0] + t * rows.step);
  } else if (rows.full() && rows.step == 1) {
    for (; t + L <= rows.n; t += L) {
      V square[L];
      for (int64_t i = 0; i < L; ++i) square[i] = V::load(x + (t + i) * L);
      transpose<T>(square);
      for (int64_t lane = 0; lane < L; ++lane) square[lane].store(out + rows.base[lane] + t);
    }
  }
  for (; t < rows.n; ++t)
    for (int64_t lane = 0; lane < rows.used; ++lane)
      out[rows.base[lane] + t * rows.step] = x[t * L + lane];
}

// data: re, im, result's re, result's im
// params: rows (elements before the axis), n, inner (elements behind it), sign, whether im is one
//         number for all, how many radices, the radices, the table
template <class T>
void fourier(const Call& call) {
  constexpr int64_t L = Vec<T>::lanes;
  const int64_t* p = call.params;
  const int64_t n = p[1], inner = p[2], lanes = p[0] * inner, one = p[4], stages = p[5];
  const int64_t* radix = p + 6;
  const Plan<T> plan{n, p[3], radix + stages};
  const T *re = static_cast<const T*>(call.data[0]), *im = static_cast<const T*>(call.data[1]);
  T *out_re = static_cast<T*>(call.data[2]), *out_im = static_cast<T*>(call.data[3]);
  const int64_t blocks = (lanes + L - 1) / L;
  const int64_t together = kTask / (n * L) < 1 ? 1 : kTask / (n * L);
  parallel_for(call.pool, (blocks + together - 1) / together, [&](int64_t task) {
    T* memory = reinterpret_cast<T*>(thread_scratch(static_cast<size_t>(4 * n * L) * sizeof(T)));
    Parts<T> a{memory, memory + n * L}, b{memory + 2 * n * L, memory + 3 * n * L};
    const int64_t end = (task + 1) * together < blocks ? (task + 1) * together : blocks;
    for (int64_t block = task * together; block < end; ++block) {
      const int64_t first = block * L;
      Rows<T> rows{{}, lanes - first < L ? lanes - first : L, n, inner};
      for (int64_t lane = 0; lane < rows.used; ++lane) {
        const int64_t row = first + lane;
        rows.base[lane] = row / inner * n * inner + row % inner;
      }
      take(rows, re, a.re);
      if (one)
        for (int64_t i = 0; i < n * L; ++i) a.im[i] = im[0];
      else
        take(rows, im, a.im);
      Parts<T> x = a, y = b;
      for (int64_t i = 0, left = n, s = 1; i < stages; ++i) {
        left /= radix[i];
        stage(plan, radix[i], left, s, x, y);
        s *= radix[i];
        const Parts<T> z = x;
        x = y, y = z;
      }
      give(rows, x.re, out_re);
      give(rows, x.im, out_im);
    }
  });
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(fourier, {"fourier_f32", fourier<float>}, {"fourier_f64", fourier<double>})
