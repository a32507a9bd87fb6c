// Sorting of entries key * 2^32 + position, so that no two are equal; all ones is none.

constexpr int kSorted = 1024;  // entries that a block sorts

// kSorted entries in shared memory, `run` of them at a time sorted (a power of two): by Batcher's
// bitonic network.
DEVICE void sort_shared(uint64_t* keys, int run) {
  for (int size = 2; size <= run; size *= 2)
    for (int step = size / 2; step; step /= 2) {
      for (int e = threadIdx.x; e < kSorted; e += 256) {
        const int other = e ^ step;
        if (other <= e) continue;
        const uint64_t a = keys[e], b = keys[other];
        if ((a > b) == (size == run || (e & size) == 0)) {
          keys[e] = b;
          keys[other] = a;
        }
      }
      __syncthreads();
    }
}
// Sorted runs of `run` entries merged in pairs: each entry finds how many of the other run stand
// before it. Entries that are none stay in their order, the left run's first.
DEVICE void merge_runs(const uint64_t* in, uint64_t* out, int64_t run, int64_t total) {
  const int64_t i = blockIdx.x * int64_t(256) + threadIdx.x;
  if (i >= total) return;
  const int64_t number = i / run, other = number ^ 1, start = other * run;
  const int64_t end = start + run < total ? start + run : total;
  const uint64_t key = in[i];
  int64_t low = start < total ? start : total, high = end > low ? end : low;
  const int64_t first = low;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    const bool before = number & 1 ? in[middle] <= key : in[middle] < key;
    if (before) low = middle + 1; else high = middle;
  }
  out[(number & ~int64_t(1)) * run + i % run + (low - first)] = key;
}

// Numbers whose order is that of the elements: NaN last, zeros of both signs equal.
DEVICE uint32_t rank_of(float x) {
  if (x != x) return ~0u;
  const uint32_t bits = k::bits_of(x == 0.0f ? 0.0f : x);
  return bits >> 31 ? ~bits : bits | 0x80000000u;
}
template <class T>
DEVICE uint32_t rank_of(T x) {
  return T(-1) < T(0) ? uint32_t(int32_t(x)) ^ 0x80000000u : uint32_t(x);
}
// Where element j of a line lies in [.., n, inner].
DEVICE int64_t along(int64_t line, int64_t j, int64_t n, int64_t inner) {
  return (line / inner * n + j) * inner + line % inner;
}
// Entries of lines of n elements, each filled up to `width` (a power of two) and sorted within each
// min(width, kSorted) of them; backwards if the greatest come first.
template <class T>
DEVICE void sort_lines(const T* x, uint64_t* out, int64_t lines, int64_t n, int64_t inner,
                       int64_t width, bool backwards) {
  __shared__ uint64_t keys[kSorted];
  const int64_t base = blockIdx.x * int64_t(kSorted);
  for (int e = threadIdx.x; e < kSorted; e += 256) {
    const int64_t line = (base + e) / width, j = (base + e) % width;
    uint64_t key = ~uint64_t(0);
    if (line < lines && j < n) {
      const uint32_t rank = rank_of(k::get(x[along(line, j, n, inner)]));
      key = uint64_t(backwards ? ~rank : rank) << 32 | uint64_t(j);
    }
    keys[e] = key;
  }
  __syncthreads();
  sort_shared(keys, width < kSorted ? int(width) : kSorted);
  for (int e = threadIdx.x; e < kSorted; e += 256)
    if (base + e < lines * width) out[base + e] = keys[e];
}
// The first `kept` places of each line, or the elements there.
DEVICE void sorted_places(const uint64_t* entries, int32_t* y, int64_t kept, int64_t inner,
                          int64_t width, int64_t count) {
  const int64_t step = int64_t(gridDim.x) * 256;
  for (int64_t i = blockIdx.x * int64_t(256) + threadIdx.x; i < count; i += step) {
    const int64_t line = i / (kept * inner) * inner + i % inner, j = i / inner % kept;
    y[i] = int32_t(uint32_t(entries[line * width + j]));
  }
}
template <class T>
DEVICE void sorted_elements(const uint64_t* entries, const T* x, T* y, int64_t n, int64_t inner,
                            int64_t width, int64_t count) {
  const int64_t step = int64_t(gridDim.x) * 256;
  for (int64_t i = blockIdx.x * int64_t(256) + threadIdx.x; i < count; i += step) {
    const int64_t line = i / (n * inner) * inner + i % inner, j = i / inner % n;
    y[i] = x[along(line, int64_t(uint32_t(entries[line * width + j])), n, inner)];
  }
}

// How many of the sorted elements stand before each value: those that are less, or (`right`) not
// greater. NaN is greater than all numbers.
template <class R>
DEVICE bool sorts_before(R a, R b) {
  return a < b || (b != b && a == a);
}
template <class T>
DEVICE void search_sorted(const T* x, const T* values, int32_t* y, int64_t n, bool right,
                          int64_t count) {
  const int64_t step = int64_t(gridDim.x) * 256;
  for (int64_t i = blockIdx.x * int64_t(256) + threadIdx.x; i < count; i += step) {
    const In<T> value = k::get(values[i]);
    int64_t low = 0, high = n;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      const In<T> at = k::get(x[middle]);
      const bool before = right ? !sorts_before(value, at) : sorts_before(at, value);
      if (before) low = middle + 1; else high = middle;
    }
    y[i] = int32_t(low);
  }
}

// -- sums and products of all elements up to each
struct Added {
  template <class R>
  static __device__ __forceinline__ R of(R a, R b) { return a + b; }
};
struct Multiplied {
  template <class R>
  static __device__ __forceinline__ R of(R a, R b) { return a * b; }
};
// A thread walks down each line: neighbours read neighbours where lines lie side by side.
template <class T, class How>
DEVICE void cumulate_lines(const T* x, T* y, int64_t lines, int64_t n, int64_t inner,
                           bool reverse) {
  const int64_t step = int64_t(gridDim.x) * 256;
  for (int64_t line = blockIdx.x * int64_t(256) + threadIdx.x; line < lines; line += step) {
    In<T> total = In<T>(0);
    for (int64_t j = 0; j < n; ++j) {
      const int64_t at = along(line, reverse ? n - 1 - j : j, n, inner);
      const In<T> value = k::get(x[at]);
      total = j ? How::of(total, value) : value;
      y[at] = k::put<T>(total);
    }
  }
}
// A block takes each line, in pieces of four elements to a thread.
template <class T, class How>
DEVICE void cumulate_blocks(const T* x, T* y, int64_t n, int64_t inner, bool reverse) {
  using R = In<T>;
  constexpr int kEach = 4, kPiece = 256 * kEach;
  __shared__ R sums[256];
  const int64_t line = blockIdx.x;
  R before = R(0);
  for (int64_t first = 0; first < n; first += kPiece) {
    const int64_t mine = first + int64_t(threadIdx.x) * kEach;
    R found[kEach];
    int have = 0;
    for (; have < kEach && mine + have < n; ++have) {
      const int64_t j = reverse ? n - 1 - (mine + have) : mine + have;
      const R value = k::get(x[along(line, j, n, inner)]);
      found[have] = have ? How::of(found[have - 1], value) : value;
    }
    // Threads that have nothing stand behind all that have.
    if (have) sums[threadIdx.x] = found[have - 1];
    __syncthreads();
    for (int step = 1; step < 256; step *= 2) {
      const bool joins = int(threadIdx.x) >= step && have;
      R joined = R(0);
      if (joins) joined = How::of(sums[threadIdx.x - step], sums[threadIdx.x]);
      __syncthreads();
      if (joins) sums[threadIdx.x] = joined;
      __syncthreads();
    }
    for (int e = 0; e < have; ++e) {
      const int64_t j = reverse ? n - 1 - (mine + e) : mine + e;
      R total = found[e];
      if (threadIdx.x) total = How::of(sums[threadIdx.x - 1], total);
      if (first) total = How::of(before, total);
      y[along(line, j, n, inner)] = k::put<T>(total);
    }
    const int64_t left = n - first;
    const int last = left < kPiece ? int((left + kEach - 1) / kEach) - 1 : 255;
    before = first ? How::of(before, sums[last]) : sums[last];
    __syncthreads();
  }
}
