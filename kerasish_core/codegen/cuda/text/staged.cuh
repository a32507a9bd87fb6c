// Products in stages: while a block multiplies one slice of its operands, asynchronous copies bring the
// next ones (compute capability 8.0). A block makes M x N results.
//
// Operands come in chunks of 16 bytes, neighbours along k or across it; a slice is four chunks along k.
// Where a thread's chunks lie a path says: `address(c)` of its chunk c, null for zeros, and `step()` to
// the next slice. Chunks change places within their tile so that eight that are read together lie in
// different banks.

#define UNROLL _Pragma("unroll")

constexpr int kStages = 3;

// Chunks of an operand with S rows (or columns): how threads share them and where they are put.
template <class T, int S, bool ALONG_K>
struct Chunks {
  static constexpr int EACH = 16 / sizeof(T), SLICE = 4 * EACH, COPIES = S / 64;
  static constexpr int PER_LINE = ALONG_K ? 4 : S / EACH, LINES = 256 / PER_LINE;
  DEVICE int line() { return threadIdx.x / PER_LINE; }
  DEVICE int slot() { return threadIdx.x % PER_LINE; }
  // Of a thread's first chunk, and what is between two of its chunks.
  DEVICE int row() { return ALONG_K ? line() : EACH * slot(); }
  DEVICE int k() { return ALONG_K ? EACH * slot() : line(); }
  static constexpr int ROWS_ON = ALONG_K ? LINES : 0, K_ON = ALONG_K ? 0 : LINES;
  DEVICE int place(int line, int slot) {
    return EACH * (line * PER_LINE + (slot ^ (ALONG_K ? line / 2 % 4 : line % 8)));
  }
  // Of one element.
  DEVICE int element(int row, int k) {
    return ALONG_K ? place(row, k / EACH) + k % EACH : place(k, row / EACH) + row % EACH;
  }
};

// Chunks at distances that do not change: of a matrix with strides, rows `row` on, until `last` along k.
template <class T, class C>
struct Line {
  const T* at;
  int64_t row_step, k_step;
  int rows_left, k_left;  // from the thread's first chunk on
  __device__ Line(const T* from, int64_t row, int64_t rows, int64_t row_step, int64_t k, int64_t last,
                  int64_t k_step)
      : at(from + (row + C::row()) * row_step + (k + C::k()) * k_step), row_step(row_step), k_step(k_step),
        rows_left(int(rows - row) - C::row()), k_left(int(last - k) - C::k()) {}
  __device__ const T* address(int c) const {
    const bool there = c * C::ROWS_ON < rows_left && c * C::K_ON < k_left;
    return there ? at + c * (C::ROWS_ON * row_step + C::K_ON * k_step) : nullptr;
  }
  __device__ void step() {
    at += C::SLICE * k_step;
    k_left -= C::SLICE;
  }
};

// PTX's asynchronous copies and matrix loads; the host has stand-ins.
#ifndef KERASISH_HOST
DEVICE uint32_t in_shared(const void* p) {
  uint32_t address;
  asm("{ .reg .u64 wide; cvta.to.shared.u64 wide, %1; cvt.u32.u64 %0, wide; }"
      : "=r"(address)
      : "l"(p));
  return address;
}
// 16 bytes, zeros from null.
DEVICE void copy_chunk(void* to, const void* from, const void* valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(in_shared(to)),
               "l"(from ? from : valid), "r"(from ? 16 : 0)
               : "memory");
}
DEVICE void close_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Until all but the last N groups of copies that this thread closed have arrived.
template <int N>
DEVICE void await_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}
template <bool TURNED>
DEVICE void load_matrices(uint32_t (&to)[4], const void* row) {
  if (TURNED)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(in_shared(row)));
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(in_shared(row)));
}
#else
DEVICE void copy_chunk(void* to, const void* from, const void*) { host::copy_chunk(to, from); }
DEVICE void close_copies() { host::close_copies(); }
template <int N>
DEVICE void await_copies() {
  host::await_copies(N);
}
template <bool TURNED>
DEVICE void load_matrices(uint32_t (&to)[4], const void* row) {
  host::load_matrices(to, row, TURNED);
}
#endif

template <class T, class C, class Path>
DEVICE void fetch(T* tile, const Path& path, const T* valid) {
  UNROLL
  for (int c = 0; c < C::COPIES; ++c)
    copy_chunk(tile + C::place(C::line() + c * C::LINES, C::slot()), path.address(c), valid);
}

// -- engines: how a block multiplies a slice (`add`) and who writes which sums (`write`)

// Tensor cores: of half types, or of float32 rounded to 11 bits (TF32). A warp makes 16 x DOWN rows and
// 8 x ACROSS columns.
template <class T, int M, int N, bool LEFT_ALONG_K, bool RIGHT_ALONG_K>
struct TensorCores {
  using L = Chunks<T, M, LEFT_ALONG_K>;
  using R = Chunks<T, N, RIGHT_ALONG_K>;
  static constexpr int WARPS_DOWN = M == 128 && N == 128 ? 2 : 4, WARPS_ACROSS = 8 / WARPS_DOWN;
  static constexpr int DOWN = M / WARPS_DOWN / 16, ACROSS = N / WARPS_ACROSS / 8;
  float sums[DOWN][ACROSS][4];
  DEVICE int lane() { return threadIdx.x % 32; }
  DEVICE int row() { return threadIdx.x / 32 % WARPS_DOWN * DOWN * 16; }
  DEVICE int column() { return threadIdx.x / 32 / WARPS_DOWN * ACROSS * 8; }
  // Four pieces of 8 rows and a chunk along k: two below each other, then the next chunk.
  DEVICE void load_left(uint32_t (&a)[4], const T* tile, int row, int slot) {
    const int l = lane(), k = L::EACH * slot;
    if (LEFT_ALONG_K) {
      load_matrices<false>(a, tile + L::place(row + l % 16, slot + l / 16));
    } else if (sizeof(T) == 2) {
      load_matrices<true>(a, tile + L::place(k + l % 8 + l / 16 * 8, row / 8 + l / 8 % 2));
    } else {
      UNROLL
      for (int e = 0; e < 4; ++e)
        a[e] = word(tile + L::element(row + l / 4 + e % 2 * 8, k + l % 4 + e / 2 * 4));
    }
    if (sizeof(T) == 4)
      UNROLL
      for (int e = 0; e < 4; ++e) a[e] = to_tf32(a[e]);
  }
  // Four pieces of 8 columns: a chunk and the next one along k, then the next columns.
  DEVICE void load_right(uint32_t (&b)[4], const T* tile, int column, int slot) {
    const int l = lane(), k = R::EACH * slot;
    if (RIGHT_ALONG_K) {
      load_matrices<false>(b, tile + R::place(column + l % 8 + l / 16 * 8, slot + l / 8 % 2));
    } else if (sizeof(T) == 2) {
      load_matrices<true>(b, tile + R::place(k + l % 16, column / 8 + l / 16));
    } else {
      UNROLL
      for (int e = 0; e < 4; ++e)
        b[e] = word(tile + R::element(column + l / 4 + e / 2 * 8, k + l % 4 + e % 2 * 4));
    }
    if (sizeof(T) == 4)
      UNROLL
      for (int e = 0; e < 4; ++e) b[e] = to_tf32(b[e]);
  }
  __device__ void add(const T* left, const T* right) {
    UNROLL
    for (int slot = 0; slot < 4; slot += 2) {
      uint32_t a[DOWN][4], b[ACROSS / 2][4];
      UNROLL
      for (int d = 0; d < DOWN; ++d) load_left(a[d], left, row() + 16 * d, slot);
      UNROLL
      for (int r = 0; r < ACROSS / 2; ++r) load_right(b[r], right, column() + 16 * r, slot);
      UNROLL
      for (int d = 0; d < DOWN; ++d)
        UNROLL
        for (int r = 0; r < ACROSS; ++r)
          mma(sums[d][r], a[d], b[r / 2][r % 2 * 2], b[r / 2][r % 2 * 2 + 1], T{});
    }
  }
  template <class Job>
  __device__ void write(const Job& job, int64_t i0, int64_t j0, int64_t rows, int64_t columns) const {
    UNROLL
    for (int d = 0; d < DOWN; ++d)
      UNROLL
      for (int e = 0; e < 4; e += 2)
        UNROLL
        for (int r = 0; r < ACROSS; ++r) {
          const int64_t i = i0 + row() + 16 * d + 4 * e + lane() / 4;
          const int64_t j = j0 + column() + 8 * r + lane() % 4 * 2;
          if (i < rows && j < columns) job.write_two(i, j, sums[d][r][e], sums[d][r][e + 1]);
        }
  }
};

// Multiply-adds of float32: 16 x 16 threads, four neighbours along k or across it at a time.
template <int M, int N, bool LEFT_ALONG_K, bool RIGHT_ALONG_K>
struct MultiplyAdds {
  using L = Chunks<float, M, LEFT_ALONG_K>;
  using R = Chunks<float, N, RIGHT_ALONG_K>;
  static constexpr int DOWN = M / 16, ACROSS = N / 16;
  float sums[DOWN][ACROSS];
  // The row (or column) r of a thread, one of 16: scattered where chunks lie along k, else by fours.
  template <bool ALONG_K>
  DEVICE int number(int thread, int r) {
    return ALONG_K ? thread + 16 * r : thread * 4 + r % 4 + r / 4 * 64;
  }
  DEVICE int row(int r) { return number<LEFT_ALONG_K>(threadIdx.x / 16, r); }
  DEVICE int column(int c) { return number<RIGHT_ALONG_K>(threadIdx.x % 16, c); }
  // Four rows (or columns) from `first` on, at four places along k.
  template <class C, bool ALONG_K>
  DEVICE void load(float (&to)[4][4], const float* tile, int thread, int first, int slot) {
    UNROLL
    for (int i = 0; i < 4; ++i) {
      const int line = ALONG_K ? number<true>(thread, first + i) : 4 * slot + i;
      const int place = ALONG_K ? slot : number<false>(thread, first) / 4;
      const Pack<float, 4> four = *reinterpret_cast<const Pack<float, 4>*>(tile + C::place(line, place));
      UNROLL
      for (int e = 0; e < 4; ++e) (ALONG_K ? to[e][i] : to[i][e]) = four.v[e];
    }
  }
  __device__ void add(const float* left, const float* right) {
    UNROLL
    for (int slot = 0; slot < 4; ++slot) {
      float a[DOWN / 4][4][4], b[4][4];
      UNROLL
      for (int r = 0; r < DOWN; r += 4)
        load<L, LEFT_ALONG_K>(a[r / 4], left, threadIdx.x / 16, r, slot);
      UNROLL
      for (int c = 0; c < ACROSS; c += 4) {
        load<R, RIGHT_ALONG_K>(b, right, threadIdx.x % 16, c, slot);
        UNROLL
        for (int k = 0; k < 4; ++k)
          UNROLL
          for (int r = 0; r < DOWN; ++r)
            UNROLL
            for (int e = 0; e < 4; ++e) sums[r][c + e] += a[r / 4][k][r % 4] * b[k][e];
      }
    }
  }
  template <class Job>
  __device__ void write(const Job& job, int64_t i0, int64_t j0, int64_t rows, int64_t columns) const {
    UNROLL
    for (int r = 0; r < DOWN; ++r)
      UNROLL
      for (int c = 0; c < ACROSS; ++c) {
        const int64_t i = i0 + row(r), j = j0 + column(c);
        if (i < rows && j < columns) job.write(i, j, sums[r][c]);
      }
  }
};
template <class T, bool TENSOR, int M, int N, bool LEFT_ALONG_K, bool RIGHT_ALONG_K>
struct Engine {
  using type = TensorCores<T, M, N, LEFT_ALONG_K, RIGHT_ALONG_K>;
};
template <int M, int N, bool LEFT_ALONG_K, bool RIGHT_ALONG_K>
struct Engine<float, false, M, N, LEFT_ALONG_K, RIGHT_ALONG_K> {
  using type = MultiplyAdds<M, N, LEFT_ALONG_K, RIGHT_ALONG_K>;
};

// The block's tile: sums over `inner` elements along k.
template <class E, class T, int M, int N, class Job, class Left, class Right>
DEVICE void staged_tile(const Job& job, Left left, Right right, const T* valid, int64_t inner, int64_t i0,
                        int64_t j0, int64_t rows, int64_t columns) {
  using L = typename E::L;
  using R = typename E::R;
  struct alignas(128) Stage {
    T left[M * L::SLICE], right[N * R::SLICE];
  };
  __shared__ Stage stages[kStages];
  E engine = {};
  UNROLL
  for (int s = 0; s < kStages - 1; ++s) {
    fetch<T, L>(stages[s].left, left, valid);
    fetch<T, R>(stages[s].right, right, valid);
    close_copies();
    left.step();
    right.step();
  }
  int stage = 0, next = kStages - 1;
  for (int64_t k = 0; k < inner; k += L::SLICE) {
    await_copies<kStages - 2>();
    __syncthreads();  // the slice has arrived for all, and nobody reads the one before it any more
    fetch<T, L>(stages[next].left, left, valid);
    fetch<T, R>(stages[next].right, right, valid);
    close_copies();
    left.step();
    right.step();
    engine.add(stages[stage].left, stages[stage].right);
    stage = stage == kStages - 1 ? 0 : stage + 1;
    next = next == kStages - 1 ? 0 : next + 1;
  }
  engine.write(job, i0, j0, rows, columns);
}

#undef UNROLL
