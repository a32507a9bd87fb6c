// Copies between layouts. Items are copied by their bytes: uint8_t to uint64_t, or pairs of those.
struct Pair64 {
  uint64_t a, b;
};

// What a thread moves at once of runs that begin at a multiple of it.
using Run16 = Pack<uint64_t, 2>;

struct Dims {
  int64_t size[8], from[8], to[8];
};

// Sizes (the innermost last), and strides of source and target; `rank` of them are used.
// Index: of elements, 32 bits where that is enough.
template <class T, class Index>
DEVICE void copy_strided(const T* from, T* to, const Dims& dims, int rank, int64_t count) {
  const int64_t step = int64_t(gridDim.x) * 256;
  for (int64_t i = blockIdx.x * int64_t(256) + threadIdx.x; i < count; i += step) {
    Index rest = Index(i);
    int64_t a = 0, b = 0;
    // Unrolled, so that sizes and strides stay parameters: an index that varies would put them in
    // local memory, 192 bytes for each thread.
    _Pragma("unroll")
    for (int axis = 7; axis >= 0; --axis) {
      if (axis >= rank) continue;
      const Index size = Index(dims.size[axis]), above = rest / size;
      const int64_t place = int64_t(rest - above * size);
      rest = above;
      a += place * dims.from[axis];
      b += place * dims.to[axis];
    }
    to[b] = from[a];
  }
}
// The last two axes of a [batch, n, m] array exchanged, by tiles of 32 x 32.
template <class T>
DEVICE void transpose_tiles(const T* from, T* to, int64_t n, int64_t m) {
  __shared__ T tile[32][33];
  const int64_t across = (m + 31) / 32, down = (n + 31) / 32;
  const int64_t batch = blockIdx.x / (across * down), at = blockIdx.x % (across * down);
  const int64_t i0 = at / across * 32, j0 = at % across * 32, base = batch * n * m;
  const int x = threadIdx.x % 32, y = threadIdx.x / 32;
  for (int r = y; r < 32; r += 8)
    if (i0 + r < n && j0 + x < m) tile[r][x] = from[base + (i0 + r) * m + j0 + x];
  __syncthreads();
  for (int r = y; r < 32; r += 8)
    if (j0 + r < m && i0 + x < n) to[base + (j0 + r) * n + i0 + x] = tile[x][r];
}
// A batch of rows of `width` items each.
template <class T>
DEVICE void take_rows(const T* from, const int64_t* rows, T* to, int64_t width, int64_t count) {
  const int64_t step = int64_t(gridDim.x) * 256;
  for (int64_t i = blockIdx.x * int64_t(256) + threadIdx.x; i < count; i += step)
    to[i] = from[rows[i / width] * width + i % width];
}
template <class T>
DEVICE void copy_items(const T* from, T* to, int64_t count) {
  const int64_t step = int64_t(gridDim.x) * 256;
  for (int64_t i = blockIdx.x * int64_t(256) + threadIdx.x; i < count; i += step) to[i] = from[i];
}
template <class T>
DEVICE void fill(T* to, T value, int64_t count) {
  const int64_t step = int64_t(gridDim.x) * 256;
  for (int64_t i = blockIdx.x * int64_t(256) + threadIdx.x; i < count; i += step) to[i] = value;
}
