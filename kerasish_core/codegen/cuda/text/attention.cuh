// Attention without its matrix of weights in memory (FlashAttention-2, Dao 2023): tiles of keys pass by
// rows of queries, whose maximum and sum of exponentials are corrected as they go. The backward
// kernels compute weights again from those. Operands are (batch, place, head, size), the last axis
// dense.
//
// An engine says how a block of 256 threads multiplies: M rows stand by, tiles of N rows pass, sizes
// are padded to P. A thread has ROWS rows and of each every column(c); a row's threads are LANES
// neighbours in one warp. `across` is left tile', `along` is left tile.

#define UNROLL _Pragma("unroll")

struct Attention {
  int64_t heads, group, queries, keys, size, width, causal;
  int64_t q[3], k[3], v[3], g[3], mask[4];
  float scale;
};
// As low as a score that counts for nothing: a row of nothing else weighs all alike.
DEVICE float unseen() { return 0.7f * -0x1.fffffep127f; }

// -- float: 16 x 16 threads, operands in shared memory

template <class T, int P_, int M_, int N_>
struct Fma {
  static constexpr int P = P_, M = M_, N = N_, ROWS = M / 16, LANES = 16;
  template <int K>
  struct Store {
    float at[M][K + 1];
  };
  struct Tile {
    float at[N][P + 1];
  };
  DEVICE int row(int r) { return threadIdx.x / 16 + 16 * r; }
  DEVICE int column(int c) { return threadIdx.x % 16 + 16 * c; }
  template <int K>
  struct Left {
    float (*at)[K + 1];
    __device__ explicit Left(Store<K>& store) : at(store.at) {}
    template <class F>
    __device__ void load(const F& element) {
      for (int e = threadIdx.x; e < M * K; e += 256) at[e / K][e % K] = k::get(element(e / K, e % K));
    }
    __device__ void weigh(const float (&w)[ROWS][K / LANES]) {
      __syncthreads();  // what was here may still be read
      UNROLL
      for (int r = 0; r < ROWS; ++r)
        UNROLL
        for (int c = 0; c < K / LANES; ++c) at[row(r)][column(c)] = w[r][c];
      __syncthreads();
    }
  };
  template <class F>
  DEVICE void fill(Tile& tile, const F& element) {
    for (int e = threadIdx.x; e < N * P; e += 256) tile.at[e / P][e % P] = k::get(element(e / P, e % P));
  }
  DEVICE void across(float (&sum)[ROWS][N / LANES], const Left<P>& left, const Tile& tile) {
    for (int p = 0; p < P; ++p)
      UNROLL
      for (int r = 0; r < ROWS; ++r)
        UNROLL
        for (int c = 0; c < N / LANES; ++c) sum[r][c] += left.at[row(r)][p] * tile.at[column(c)][p];
  }
  DEVICE void along(float (&sum)[ROWS][P / LANES], const Left<N>& left, const Tile& tile) {
    for (int n = 0; n < N; ++n)
      UNROLL
      for (int r = 0; r < ROWS; ++r)
        UNROLL
        for (int c = 0; c < P / LANES; ++c) sum[r][c] += left.at[row(r)][n] * tile.at[n][column(c)];
  }
};

// -- half types: tensor cores, a warp to 16 rows

// CHUNKS: rows are read by eight neighbours, 16 bytes.
template <class T, int P_, int N_, bool CHUNKS>
struct Mma {
  static constexpr int P = P_, M = 128, N = N_, ROWS = 2, LANES = 4;
  template <int K>
  struct Store {};
  struct alignas(16) Tile {
    T at[N][P + 8];  // rows begin four banks apart
  };
  DEVICE int row(int r) { return threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4 + 8 * r; }
  DEVICE int column(int c) { return c / 2 * 8 + threadIdx.x % 4 * 2 + c % 2; }
  template <int K>
  struct Left {
    uint32_t at[K / 16][4];
    __device__ explicit Left(Store<K>&) {}
    template <class F>
    __device__ void load(const F& element) {
      UNROLL
      for (int s = 0; s < K / 16; ++s)
        UNROLL
        for (int i = 0; i < 4; ++i) {
          const int p = 16 * s + i / 2 * 8 + threadIdx.x % 4 * 2;
          at[s][i] = pair<T>(element(row(i % 2), p), element(row(i % 2), p + 1));
        }
    }
    // What a product gave lies as the next one wants it.
    __device__ void weigh(const float (&w)[ROWS][K / LANES]) {
      UNROLL
      for (int s = 0; s < K / 16; ++s)
        UNROLL
        for (int i = 0; i < 4; ++i) {
          const int c = 4 * s + i / 2 * 2;
          at[s][i] = pair(k::put<T>(w[i % 2][c]), k::put<T>(w[i % 2][c + 1]));
        }
    }
  };
  template <class F>
  DEVICE void fill(Tile& tile, const F& element) {
    if (CHUNKS) {
      for (int e = 8 * threadIdx.x; e < N * P; e += 8 * 256)
        *reinterpret_cast<Pack<T, 8>*>(&tile.at[e / P][e % P]) = element.eight(e / P, e % P);
    } else {
      for (int e = threadIdx.x; e < N * P; e += 256) tile.at[e / P][e % P] = element(e / P, e % P);
    }
  }
  template <int W>
  DEVICE void multiply(float (&sum)[ROWS][W], int t, const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    float c[4] = {sum[0][2 * t], sum[0][2 * t + 1], sum[1][2 * t], sum[1][2 * t + 1]};
    mma(c, a, b0, b1, T{});
    sum[0][2 * t] = c[0], sum[0][2 * t + 1] = c[1], sum[1][2 * t] = c[2], sum[1][2 * t + 1] = c[3];
  }
  DEVICE void across(float (&sum)[ROWS][N / LANES], const Left<P>& left, const Tile& tile) {
    const int lane = threadIdx.x % 32, n = lane % 8 + lane / 16 * 8, p = lane / 8 % 2 * 8;
    UNROLL
    for (int s = 0; s < P / 16; ++s)
      UNROLL
      for (int t = 0; t < N / 8; t += 2) {
        uint32_t b[4];
        load_matrices<false>(b, &tile.at[8 * t + n][16 * s + p]);
        multiply(sum, t, left.at[s], b[0], b[1]);
        multiply(sum, t + 1, left.at[s], b[2], b[3]);
      }
  }
  DEVICE void along(float (&sum)[ROWS][P / LANES], const Left<N>& left, const Tile& tile) {
    const int lane = threadIdx.x % 32, n = lane % 16, p = lane / 16 * 8;
    UNROLL
    for (int s = 0; s < N / 16; ++s)
      UNROLL
      for (int t = 0; t < P / 8; t += 2) {
        uint32_t b[4];
        load_matrices<true>(b, &tile.at[16 * s + n][8 * t + p]);
        multiply(sum, t, left.at[s], b[0], b[1]);
        multiply(sum, t + 1, left.at[s], b[2], b[3]);
      }
  }
};

template <class Op, int LANES>
DEVICE float over_row(float x) {
  for (int step = 1; step < LANES; step *= 2) x = Op::join(x, __shfl_xor_sync(0xffffffffu, x, step));
  return x;
}
// Rows of one head from `first` on, with zeros beyond `count` rows and `size` columns.
template <class T>
struct Rows {
  const T* from;
  int64_t step, first, count, size;
  __device__ T operator()(int row, int column) const {
    const bool within = first + row < count && column < size;
    return within ? from[(first + row) * step + column] : k::put<T>(0.0f);
  }
  __device__ Pack<T, 8> eight(int row, int column) const {
    const bool within = first + row < count && column < size;
    const T* at = from + (first + row) * step + column;
    return within ? *reinterpret_cast<const Pack<T, 8>*>(at) : Pack<T, 8>{};
  }
};
template <class T>
DEVICE Rows<T> rows_of(const T* from, const int64_t (&steps)[3], int64_t batch, int64_t head,
                       int64_t first, int64_t count, int64_t size) {
  return Rows<T>{from + batch * steps[0] + head * steps[2], steps[1], first, count, size};
}

// Which keys the queries of a head look at.
template <bool MASK>
struct Sight {
  const truth* mask;
  int64_t along_i, along_j;
  int queries, keys;
  bool causal;
  __device__ bool within(int i, int j) const { return i < queries && j < keys; }
  // Whether query i looks at key j; both are there.
  __device__ bool operator()(int i, int j) const {
    return (!causal || j <= i) && (!MASK || k::get(mask[i * along_i + j * along_j]) != 0);
  }
  // Whether all of some queries are there and look at all of some keys, which are there.
  __device__ bool whole(int i0, int rows, int j0, int columns) const {
    return !MASK && within(i0 + rows - 1, j0 + columns - 1) && (!causal || j0 + columns - 1 <= i0);
  }
};
template <bool MASK>
DEVICE Sight<MASK> sight_of(const truth* mask, const Attention& a, int64_t batch, int64_t head) {
  return Sight<MASK>{MASK ? mask + batch * a.mask[0] + head * a.mask[1] : nullptr, a.mask[2], a.mask[3],
                     int(a.queries), int(a.keys), a.causal != 0};
}

template <class E, int W>
DEVICE void weigh_scores(float (&s)[E::ROWS][W], float scale) {
  UNROLL
  for (int r = 0; r < E::ROWS; ++r)
    UNROLL
    for (int c = 0; c < W; ++c) s[r][c] *= scale;
}

// Rows are queries: those that do not look at a key have `hidden`, and there is `beyond` the keys.
template <class E, int W, bool MASK>
DEVICE void hide(float (&s)[E::ROWS][W], const Sight<MASK>& sees, int i0, int j0, float hidden,
                 float beyond) {
  if (sees.whole(i0, E::M, j0, E::N)) return;
  UNROLL
  for (int r = 0; r < E::ROWS; ++r)
    UNROLL
    for (int c = 0; c < W; ++c) {
      const int i = i0 + E::row(r), j = j0 + E::column(c);
      if (!sees.within(i, j) || !sees(i, j)) s[r][c] = j < sees.keys ? hidden : beyond;
    }
}

template <class E, class T, bool MASK>
DEVICE void attention(const T* q, const T* k, const T* v, const truth* mask, T* y, float* top,
                      float* total, const Attention& a) {
  constexpr int ROWS = E::ROWS, LANES = E::LANES, N = E::N, P = E::P;
  __shared__ typename E::template Store<P> of_queries;
  __shared__ typename E::template Store<N> of_weights;
  __shared__ typename E::Tile keys, values;
  const int64_t blocks = (a.queries + E::M - 1) / E::M, i0 = blockIdx.x % blocks * E::M;
  const int64_t head = blockIdx.x / blocks % a.heads, batch = blockIdx.x / blocks / a.heads;
  const Sight<MASK> sees = sight_of<MASK>(mask, a, batch, head);
  typename E::template Left<P> left(of_queries);
  left.load(rows_of(q, a.q, batch, head, i0, a.queries, a.size));
  float most[ROWS], sum[ROWS] = {}, out[ROWS][P / LANES] = {};
  UNROLL
  for (int r = 0; r < ROWS; ++r) most[r] = -k::Format<float>::infinity();
  // Without a mask each query sees a key, so that what lies wholly behind is left out.
  const int64_t end = !MASK && a.causal && i0 + E::M < a.keys ? i0 + E::M : a.keys;
  for (int64_t j0 = 0; j0 < end; j0 += N) {
    __syncthreads();
    E::fill(keys, rows_of(k, a.k, batch, head / a.group, j0, a.keys, a.size));
    E::fill(values, rows_of(v, a.v, batch, head / a.group, j0, a.keys, a.width));
    __syncthreads();
    float s[ROWS][N / LANES] = {};
    E::across(s, left, keys);
    weigh_scores<E>(s, a.scale);
    hide<E>(s, sees, int(i0), int(j0), unseen(), -k::Format<float>::infinity());
    UNROLL
    for (int r = 0; r < ROWS; ++r) {
      float largest = most[r];
      UNROLL
      for (int c = 0; c < N / LANES; ++c) largest = k::maximum(largest, s[r][c]);
      largest = over_row<Max, LANES>(largest);
      const float kept = k::exp(most[r] - largest);
      most[r] = largest;
      sum[r] *= kept;
      UNROLL
      for (int c = 0; c < N / LANES; ++c) sum[r] += s[r][c] = k::exp(s[r][c] - largest);
      UNROLL
      for (int c = 0; c < P / LANES; ++c) out[r][c] *= kept;
    }
    typename E::template Left<N> weights(of_weights);
    weights.weigh(s);
    E::along(out, weights, values);
  }
  UNROLL
  for (int r = 0; r < ROWS; ++r) {
    const int64_t i = i0 + E::row(r);
    sum[r] = over_row<Sum, LANES>(sum[r]);
    if (i >= a.queries) continue;
    const int64_t place = (batch * a.heads + head) * a.queries + i;
    T* row = y + ((batch * a.queries + i) * a.heads + head) * a.width;
    UNROLL
    for (int c = 0; c < P / LANES; ++c)
      if (E::column(c) < a.width) row[E::column(c)] = k::put<T>(out[r][c] / sum[r]);
    if (E::column(0) == 0) {
      top[place] = most[r];
      total[place] = sum[r];
    }
  }
}

// The gradient of queries; `inner` is sum(g y) of each query, for the next kernel.
template <class E, class T, bool MASK>
DEVICE void attention_of_queries(const T* q, const T* k, const T* v, const truth* mask, const T* y,
                                 const float* top, const float* total, const T* g, T* dq, float* inner,
                                 const Attention& a) {
  constexpr int ROWS = E::ROWS, LANES = E::LANES, N = E::N, P = E::P;
  __shared__ typename E::template Store<P> of_queries, of_cotangents;
  __shared__ typename E::template Store<N> of_weights;
  __shared__ typename E::Tile keys, values;
  const int64_t blocks = (a.queries + E::M - 1) / E::M, i0 = blockIdx.x % blocks * E::M;
  const int64_t head = blockIdx.x / blocks % a.heads, batch = blockIdx.x / blocks / a.heads;
  const Sight<MASK> sees = sight_of<MASK>(mask, a, batch, head);
  typename E::template Left<P> left(of_queries), cotangents(of_cotangents);
  const Rows<T> of_g = rows_of(g, a.g, batch, head, i0, a.queries, a.width);
  left.load(rows_of(q, a.q, batch, head, i0, a.queries, a.size));
  cotangents.load(of_g);
  float most[ROWS], share[ROWS], delta[ROWS], out[ROWS][P / LANES] = {};
  UNROLL
  for (int r = 0; r < ROWS; ++r) {
    const int64_t i = i0 + E::row(r), place = (batch * a.heads + head) * a.queries + i;
    const bool within = i < a.queries;
    const T* row = y + ((batch * a.queries + i) * a.heads + head) * a.width;
    most[r] = within ? top[place] : 0.0f;
    share[r] = within ? 1.0f / total[place] : 0.0f;
    delta[r] = 0;
    UNROLL
    for (int c = 0; c < P / LANES; ++c)
      if (within && E::column(c) < a.width)
        delta[r] += k::get(of_g(E::row(r), E::column(c))) * k::get(row[E::column(c)]);
    delta[r] = over_row<Sum, LANES>(delta[r]);
    if (within && E::column(0) == 0) inner[place] = delta[r];
  }
  const int64_t end = !MASK && a.causal && i0 + E::M < a.keys ? i0 + E::M : a.keys;
  for (int64_t j0 = 0; j0 < end; j0 += N) {
    __syncthreads();
    E::fill(keys, rows_of(k, a.k, batch, head / a.group, j0, a.keys, a.size));
    E::fill(values, rows_of(v, a.v, batch, head / a.group, j0, a.keys, a.width));
    __syncthreads();
    float s[ROWS][N / LANES] = {}, of_values[ROWS][N / LANES] = {};
    E::across(s, left, keys);
    E::across(of_values, cotangents, values);
    UNROLL
    for (int r = 0; r < ROWS; ++r)
      UNROLL
      for (int c = 0; c < N / LANES; ++c) {
        const float weight = k::exp(s[r][c] * a.scale - most[r]) * share[r];
        s[r][c] = weight * (of_values[r][c] - delta[r]) * a.scale;
      }
    hide<E>(s, sees, int(i0), int(j0), 0.0f, 0.0f);
    typename E::template Left<N> weights(of_weights);
    weights.weigh(s);
    E::along(out, weights, keys);
  }
  UNROLL
  for (int r = 0; r < ROWS; ++r) {
    const int64_t i = i0 + E::row(r);
    if (i >= a.queries) continue;
    T* row = dq + ((batch * a.queries + i) * a.heads + head) * a.size;
    UNROLL
    for (int c = 0; c < P / LANES; ++c)
      if (E::column(c) < a.size) row[E::column(c)] = k::put<T>(out[r][c]);
  }
}

// The gradients of keys and values: rows are keys, and the queries of all heads that share them pass.
template <class E, class T, bool MASK>
DEVICE void attention_of_keys(const T* q, const T* k, const T* v, const truth* mask, const float* top,
                              const float* total, const T* g, const float* inner, T* dk, T* dv,
                              const Attention& a) {
  constexpr int ROWS = E::ROWS, LANES = E::LANES, N = E::N, P = E::P;
  __shared__ typename E::template Store<P> of_keys, of_values;
  __shared__ typename E::template Store<N> of_weights;
  __shared__ typename E::Tile queries, cotangents;
  __shared__ float most[N], share[N], delta[N];
  const int64_t blocks = (a.keys + E::M - 1) / E::M, j0 = blockIdx.x % blocks * E::M;
  const int64_t shared = a.heads / a.group;
  const int64_t owner = blockIdx.x / blocks % shared, batch = blockIdx.x / blocks / shared;
  typename E::template Left<P> keys(of_keys), values(of_values);
  keys.load(rows_of(k, a.k, batch, owner, j0, a.keys, a.size));
  values.load(rows_of(v, a.v, batch, owner, j0, a.keys, a.width));
  float to_keys[ROWS][P / LANES] = {}, to_values[ROWS][P / LANES] = {};
  const int64_t start = !MASK && a.causal ? j0 / N * N : 0;
  for (int64_t head = owner * a.group; head < (owner + 1) * a.group; ++head) {
    const Sight<MASK> sees = sight_of<MASK>(mask, a, batch, head);
    for (int64_t i0 = start; i0 < a.queries; i0 += N) {
      __syncthreads();
      E::fill(queries, rows_of(q, a.q, batch, head, i0, a.queries, a.size));
      E::fill(cotangents, rows_of(g, a.g, batch, head, i0, a.queries, a.width));
      if (threadIdx.x < N) {
        const int64_t i = i0 + threadIdx.x, place = (batch * a.heads + head) * a.queries + i;
        const bool within = i < a.queries;
        most[threadIdx.x] = within ? top[place] : 0.0f;
        share[threadIdx.x] = within ? 1.0f / total[place] : 0.0f;
        delta[threadIdx.x] = within ? inner[place] : 0.0f;
      }
      __syncthreads();
      float s[ROWS][N / LANES] = {}, w[ROWS][N / LANES];
      E::across(s, keys, queries);
      UNROLL
      for (int r = 0; r < ROWS; ++r)
        UNROLL
        for (int c = 0; c < N / LANES; ++c)
          s[r][c] = w[r][c] =
              k::exp(s[r][c] * a.scale - most[E::column(c)]) * share[E::column(c)];
      if (!sees.whole(int(i0), N, int(j0), E::M)) {
        UNROLL
        for (int r = 0; r < ROWS; ++r)
          UNROLL
          for (int c = 0; c < N / LANES; ++c) {
            const int i = int(i0) + E::column(c), j = int(j0) + E::row(r);
            const bool within = sees.within(i, j);
            if (within && sees(i, j)) continue;
            // One that looks nowhere weighs all alike.
            w[r][c] = within ? k::exp(unseen() - most[E::column(c)]) * share[E::column(c)] : 0.0f;
            s[r][c] = 0.0f;
          }
      }
      typename E::template Left<N> weights(of_weights);
      weights.weigh(w);
      E::along(to_values, weights, cotangents);
      float pulled[ROWS][N / LANES] = {};
      E::across(pulled, values, cotangents);
      UNROLL
      for (int r = 0; r < ROWS; ++r)
        UNROLL
        for (int c = 0; c < N / LANES; ++c)
          s[r][c] *= (pulled[r][c] - delta[E::column(c)]) * a.scale;
      weights.weigh(s);
      E::along(to_keys, weights, queries);
    }
  }
  UNROLL
  for (int r = 0; r < ROWS; ++r) {
    const int64_t j = j0 + E::row(r), row = (batch * a.keys + j) * shared + owner;
    if (j >= a.keys) continue;
    UNROLL
    for (int c = 0; c < P / LANES; ++c) {
      const int column = E::column(c);
      if (column < a.size) dk[row * a.size + column] = k::put<T>(to_keys[r][c]);
      if (column < a.width) dv[row * a.width + column] = k::put<T>(to_values[r][c]);
    }
  }
}
#undef UNROLL
