// Softmax, normalisation and extremes: LANES threads to a row of n elements that lie `inner` apart.

template <class Op, class R>
struct Fold {
  struct State {
    R x;
  };
  DEVICE State join(State a, State b) { return State{Op::join(a.x, b.x)}; }
};
template <class Op, int LANES, class R>
DEVICE R fold(R x) {
  return lanes_join<Fold<Op, R>, LANES>(typename Fold<Op, R>::State{x}).x;
}

struct Row {
  int64_t base, step, n;
  bool within;
};
// The row of this thread; `lane` is its first element.
template <int LANES>
DEVICE Row row_of(int64_t outer, int64_t n, int64_t inner, int64_t* number) {
  const int64_t row = blockIdx.x * int64_t(256 / LANES) + threadIdx.x / LANES;
  *number = row;
  return Row{row / inner * n * inner + row % inner, inner, n, row < outer * inner};
}

template <class T, int LANES, bool LOG>
DEVICE void softmax(const T* x, T* y, int64_t outer, int64_t n, int64_t inner) {
  using R = In<T>;
  int64_t number;
  const Row row = row_of<LANES>(outer, n, inner, &number);
  if (!row.within) return;
  const int64_t lane = threadIdx.x % LANES;
  R top = Max::zero<R>(), sum = R(0);
  for (int64_t j = lane; j < n; j += LANES)
    top = k::maximum(top, k::get(x[row.base + j * row.step]));
  top = fold<Max, LANES>(top);
  for (int64_t j = lane; j < n; j += LANES)
    sum += k::exp(k::get(x[row.base + j * row.step]) - top);
  sum = fold<Sum, LANES>(sum);
  const R log = LOG ? k::log(sum) : R(0);
  for (int64_t j = lane; j < n; j += LANES) {
    const int64_t i = row.base + j * row.step;
    const R shifted = k::get(x[i]) - top;
    y[i] = k::put<T>(LOG ? shifted - log : k::exp(shifted) / sum);
  }
}

// The cotangent pulled back: y (g - sum(g y)), or g - exp(y) sum(g).
template <class T, int LANES, bool LOG>
DEVICE void softmax_grad(const T* g, const T* y, T* dx, int64_t outer, int64_t n, int64_t inner) {
  using R = In<T>;
  int64_t number;
  const Row row = row_of<LANES>(outer, n, inner, &number);
  if (!row.within) return;
  const int64_t lane = threadIdx.x % LANES;
  R sum = R(0);
  for (int64_t j = lane; j < n; j += LANES) {
    const int64_t i = row.base + j * row.step;
    sum += LOG ? k::get(g[i]) : k::get(g[i]) * k::get(y[i]);
  }
  sum = fold<Sum, LANES>(sum);
  for (int64_t j = lane; j < n; j += LANES) {
    const int64_t i = row.base + j * row.step;
    const R a = k::get(g[i]), b = k::get(y[i]);
    dx[i] = k::put<T>(LOG ? a - k::exp(b) * sum : b * (a - sum));
  }
}

template <class T, int LANES>
DEVICE void logsumexp(const T* x, T* y, int64_t outer, int64_t n, int64_t inner) {
  using R = In<T>;
  int64_t number;
  const Row row = row_of<LANES>(outer, n, inner, &number);
  if (!row.within) return;
  const int64_t lane = threadIdx.x % LANES;
  R top = Max::zero<R>(), sum = R(0);
  for (int64_t j = lane; j < n; j += LANES)
    top = k::maximum(top, k::get(x[row.base + j * row.step]));
  top = fold<Max, LANES>(top);
  const R base = k::isfinite(top) ? top : R(0);
  for (int64_t j = lane; j < n; j += LANES)
    sum += k::exp(k::get(x[row.base + j * row.step]) - base);
  sum = fold<Sum, LANES>(sum);
  if (lane == 0) y[number] = k::put<T>(k::log(sum) + base);
}

// The first place of the extreme; NaN counts as more extreme than all.
template <class R, bool LARGEST>
struct Place {
  struct State {
    R x;
    int32_t place, known;
    // Rounded up to whole words by its members.
  };
  DEVICE bool before(State a, State b) {
    if (!b.known || !a.known) return a.known;
    const bool nan_a = a.x != a.x, nan_b = b.x != b.x;
    if (nan_a || nan_b) return nan_a && (!nan_b || a.place < b.place);
    if (a.x == b.x) return a.place < b.place;
    return LARGEST ? a.x > b.x : a.x < b.x;
  }
  DEVICE State join(State a, State b) { return before(a, b) ? a : b; }
};
template <class T, int LANES, bool LARGEST>
DEVICE void arg_extreme(const T* x, int32_t* y, int64_t outer, int64_t n, int64_t inner) {
  using R = In<T>;
  using Job = Place<R, LARGEST>;
  int64_t number;
  const Row row = row_of<LANES>(outer, n, inner, &number);
  if (!row.within) return;
  typename Job::State best = {};
  for (int64_t j = threadIdx.x % LANES; j < n; j += LANES)
    best = Job::join(best, typename Job::State{R(k::get(x[row.base + j * row.step])), int32_t(j), 1});
  best = lanes_join<Job, LANES>(best);
  if (threadIdx.x % LANES == 0) y[number] = best.place;
}

// (x - mean) * inv * gamma + beta of each row; RMS: without mean and beta.
template <class T, int LANES, bool RMS>
DEVICE void row_norm(const T* x, const T* gamma, const T* beta, T* y, T* mean_out, T* inv_out,
                     int64_t rows, int64_t n, double epsilon) {
  using R = In<T>;
  int64_t number;
  const Row row = row_of<LANES>(rows, n, 1, &number);
  if (!row.within) return;
  const int64_t lane = threadIdx.x % LANES;
  R mean = R(0), square = R(0);
  if (!RMS) {
    for (int64_t j = lane; j < n; j += LANES) mean += k::get(x[row.base + j]);
    mean = fold<Sum, LANES>(mean) / R(n);
  }
  for (int64_t j = lane; j < n; j += LANES) {
    const R centred = k::get(x[row.base + j]) - mean;
    square += centred * centred;
  }
  square = fold<Sum, LANES>(square) / R(n);
  const R inv = R(1) / k::sqrt(square + R(epsilon));
  for (int64_t j = lane; j < n; j += LANES) {
    R value = (k::get(x[row.base + j]) - mean) * inv * k::get(gamma[j]);
    if (!RMS) value += k::get(beta[j]);
    y[row.base + j] = k::put<T>(value);
  }
  if (lane) return;
  inv_out[number] = k::put<T>(inv);
  if (!RMS) mean_out[number] = k::put<T>(mean);
}

// inv (h - xhat mean(h xhat) - mean(h)), h = g gamma; RMS: without the last mean.
template <class T, int LANES, bool RMS>
DEVICE void row_norm_grad(const T* g, const T* x, const T* gamma, const T* mean, const T* inv, T* dx,
                          int64_t rows, int64_t n) {
  using R = In<T>;
  int64_t number;
  const Row row = row_of<LANES>(rows, n, 1, &number);
  if (!row.within) return;
  const int64_t lane = threadIdx.x % LANES;
  const R m = RMS ? R(0) : k::get(mean[number]), s = k::get(inv[number]);
  R with_xhat = R(0), alone = R(0);
  for (int64_t j = lane; j < n; j += LANES) {
    const R h = k::get(g[row.base + j]) * k::get(gamma[j]);
    with_xhat += h * ((k::get(x[row.base + j]) - m) * s);
    alone += h;
  }
  with_xhat = fold<Sum, LANES>(with_xhat) / R(n);
  alone = RMS ? R(0) : fold<Sum, LANES>(alone) / R(n);
  for (int64_t j = lane; j < n; j += LANES) {
    const int64_t i = row.base + j;
    const R h = k::get(g[i]) * k::get(gamma[j]), xhat = (k::get(x[i]) - m) * s;
    dx[i] = k::put<T>((h - xhat * with_xhat - alone) * s);
  }
}

// -- jobs of `rows` and `columns`

// Mean and variance, by the pairwise update (Chan, Golub, LeVeque 1979). U is their type.
template <class T, class U>
struct Moments {
  using R = In<U>;
  struct State {
    R count, mean, square;
  };
  const T* x;
  U *mean, *variance;
  DEVICE State zero() { return State{R(0), R(0), R(0)}; }
  __device__ void add(State& s, int64_t i, int64_t, int64_t) const {
    const R value = k::get(x[i]), difference = value - s.mean;
    s.count += R(1);
    s.mean += difference / s.count;
    s.square += difference * (value - s.mean);
  }
  DEVICE State join(State a, State b) {
    const R count = a.count + b.count;
    if (b.count == R(0)) return a;
    if (a.count == R(0)) return b;
    const R difference = b.mean - a.mean, share = b.count / count;
    return State{count, a.mean + difference * share,
                 a.square + b.square + difference * difference * (a.count * share)};
  }
  __device__ void finish(int64_t place, State s) const {
    mean[place] = k::put<U>(s.mean);
    variance[place] = k::put<U>(s.square / s.count);
  }
};

template <class R>
struct Two {
  R a, b;
};
// sum(g) and sum(g (x - mean)) of each column.
template <class G, class X, class U>
struct CentredSums {
  using R = In<U>;
  using State = Two<R>;
  const G* g;
  const X* x;
  const U* mean;
  U *of_g, *of_both;
  DEVICE State zero() { return State{R(0), R(0)}; }
  __device__ void add(State& s, int64_t i, int64_t, int64_t column) const {
    s.a += k::get(g[i]);
    s.b += k::get(g[i]) * (k::get(x[i]) - k::get(mean[column]));
  }
  DEVICE State join(State a, State b) { return State{a.a + b.a, a.b + b.b}; }
  __device__ void finish(int64_t place, State s) const {
    of_g[place] = k::put<U>(s.a);
    of_both[place] = k::put<U>(s.b);
  }
};
// sum(g xhat) and sum(g) of each column, where each row has its own mean and inv.
template <class T, bool RMS>
struct NormSums {
  using R = In<T>;
  using State = Two<R>;
  const T *g, *x, *mean, *inv;
  T *of_gamma, *of_beta;
  DEVICE State zero() { return State{R(0), R(0)}; }
  __device__ void add(State& s, int64_t i, int64_t row, int64_t) const {
    const R m = RMS ? R(0) : k::get(mean[row]);
    s.a += k::get(g[i]) * ((k::get(x[i]) - m) * k::get(inv[row]));
    s.b += k::get(g[i]);
  }
  DEVICE State join(State a, State b) { return State{a.a + b.a, a.b + b.b}; }
  __device__ void finish(int64_t place, State s) const {
    of_gamma[place] = k::put<T>(s.a);
    if (!RMS) of_beta[place] = k::put<T>(s.b);
  }
};
