// Sums and other folds over a warp, a block or two steps of a grid, in an order fixed by sizes.

struct Sum {
  template <class T>
  DEVICE T zero() {
    return T(0);
  }
  template <class T>
  DEVICE T join(T a, T b) {
    return T(a + b);
  }
};
struct Prod {
  template <class T>
  DEVICE T zero() {
    return T(1);
  }
  template <class T>
  DEVICE T join(T a, T b) {
    return T(a * b);
  }
};
// The least and the greatest value of a type.
template <class T>
struct Bounds {
  DEVICE T least() { return T(-1) > T(0) ? T(0) : T(T(1) << (8 * sizeof(T) - 1)); }
  DEVICE T most() { return T(~least()); }
};
template <>
struct Bounds<float> {
  DEVICE float least() { return -k::Format<float>::infinity(); }
  DEVICE float most() { return k::Format<float>::infinity(); }
};
template <>
struct Bounds<double> {
  DEVICE double least() { return -k::Format<double>::infinity(); }
  DEVICE double most() { return k::Format<double>::infinity(); }
};
struct Max {
  template <class T>
  DEVICE T zero() {
    return Bounds<T>::least();
  }
  template <class T>
  DEVICE T join(T a, T b) {
    return k::maximum(a, b);
  }
};
struct Min {
  template <class T>
  DEVICE T zero() {
    return Bounds<T>::most();
  }
  template <class T>
  DEVICE T join(T a, T b) {
    return k::minimum(a, b);
  }
};
struct Any {
  template <class T>
  DEVICE T zero() {
    return T(0);
  }
  template <class T>
  DEVICE T join(T a, T b) {
    return T(a | b);
  }
};
struct All {
  template <class T>
  DEVICE T zero() {
    return T(1);
  }
  template <class T>
  DEVICE T join(T a, T b) {
    return T(a & b);
  }
};

// A job says what is folded: its State (whole words), `zero()`, `add(state, i, row, column)` of the
// element i, `join(a, b)` and `finish(place, state)`.

template <class S>
DEVICE S shuffled(S x, int step) {
  static_assert(sizeof(S) % 4 == 0, "whole words");
  uint32_t words[sizeof(S) / 4];
  memcpy(words, &x, sizeof x);
  for (int i = 0; i < int(sizeof(S) / 4); ++i)
    words[i] = __shfl_xor_sync(0xffffffffu, words[i], step);
  memcpy(&x, words, sizeof x);
  return x;
}
// Of the 32 lanes of a warp, in each of them. The lower lane stands first, so all agree in bits.
template <class Job>
DEVICE typename Job::State warp_join(typename Job::State x) {
  for (int step = 1; step < 32; step *= 2) {
    const typename Job::State other = shuffled(x, step);
    x = threadIdx.x & step ? Job::join(other, x) : Job::join(x, other);
  }
  return x;
}
// Of LANES threads, a warp or a block of 256, in each of them.
template <class Job, int LANES>
DEVICE typename Job::State lanes_join(typename Job::State x) {
  x = warp_join<Job>(x);
  if (LANES == 32) return x;
  __shared__ typename Job::State of_warps[8];
  __syncthreads();  // an earlier join may still be read
  if (threadIdx.x % 32 == 0) of_warps[threadIdx.x / 32] = x;
  __syncthreads();
  x = of_warps[0];
  for (int w = 1; w < 8; ++w) x = Job::join(x, of_warps[w]);
  return x;
}

// Rows of n elements side by side, cut in `parts`: LANES threads to each part.
template <class Job, int LANES>
DEVICE void rows(const Job& job, typename Job::State* partial, int64_t count, int64_t n,
                 int64_t parts) {
  const int64_t place = blockIdx.x * int64_t(256 / LANES) + threadIdx.x / LANES;
  if (place >= count * parts) return;
  const int64_t row = place / parts, part = place % parts, size = (n + parts - 1) / parts;
  const int64_t first = part * size, last = first + size < n ? first + size : n;
  typename Job::State x = Job::zero();
  for (int64_t j = first + threadIdx.x % LANES; j < last; j += LANES)
    job.add(x, row * n + j, row, j);
  x = lanes_join<Job, LANES>(x);
  if (threadIdx.x % LANES) return;
  if (parts == 1)
    job.finish(row, x);
  else
    partial[place] = x;
}
// The second step of `rows`: a warp joins the parts of a row.
template <class Job>
DEVICE void join_rows(const Job& job, const typename Job::State* partial, int64_t count,
                      int64_t parts) {
  const int64_t row = blockIdx.x * int64_t(8) + threadIdx.x / 32;
  if (row >= count) return;
  typename Job::State x = Job::zero();
  for (int64_t p = threadIdx.x % 32; p < parts; p += 32)
    x = Job::join(x, partial[row * parts + p]);
  x = warp_join<Job>(x);
  if (threadIdx.x % 32 == 0) job.finish(row, x);
}

// Columns of [outer, n, inner], cut in `parts` along n: a block takes 32 neighbours, 8 rows at a time.
template <class Job>
DEVICE void columns(const Job& job, typename Job::State* partial, int64_t outer, int64_t n,
                    int64_t inner, int64_t parts) {
  __shared__ typename Job::State of_rows[8][32];
  const int64_t blocks = (inner + 31) / 32, size = (n + parts - 1) / parts;
  const int64_t column = blockIdx.x % blocks * 32 + threadIdx.x % 32;
  const int64_t part = blockIdx.x / blocks % parts, o = blockIdx.x / blocks / parts;
  const int64_t first = part * size, last = first + size < n ? first + size : n;
  const int y = threadIdx.x / 32;
  typename Job::State x = Job::zero();
  if (column < inner)
    for (int64_t r = first + y; r < last; r += 8)
      job.add(x, (o * n + r) * inner + column, r, column);
  of_rows[y][threadIdx.x % 32] = x;
  __syncthreads();
  if (y != 0 || column >= inner) return;
  for (int w = 1; w < 8; ++w) x = Job::join(x, of_rows[w][threadIdx.x % 32]);
  const int64_t place = o * inner + column;
  if (parts == 1)
    job.finish(place, x);
  else
    partial[part * (outer * inner) + place] = x;
}
// The second step of `columns`.
template <class Job>
DEVICE void join_columns(const Job& job, const typename Job::State* partial, int64_t count,
                         int64_t parts) {
  const int64_t place = blockIdx.x * int64_t(256) + threadIdx.x;
  if (place >= count) return;
  typename Job::State x = partial[place];
  for (int64_t p = 1; p < parts; ++p) x = Job::join(x, partial[p * count + place]);
  job.finish(place, x);
}
