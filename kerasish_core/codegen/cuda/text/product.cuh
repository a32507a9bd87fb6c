// Matrix products where no library serves: c[i, j] = sum over k of left(i, k) * right(k, j), with a bias
// along j and relu. Tiles of 64 x 64, 4 x 4 to a thread or, of half types, by tensor cores. A job says
// where operands lie:
// `left(i, k)`, `right(k, j)`, `write(i, j, sum)`, and along which axis its operands are dense.

template <class R, class Job>
DEVICE void fma_tile(const Job& job, int64_t rows, int64_t columns, int64_t first, int64_t last,
                         int64_t tile, bool left_along_k, bool right_along_k) {
  __shared__ R left[16][65], right[16][65];
  const int64_t across = (columns + 63) / 64;
  const int64_t i0 = tile / across * 64, j0 = tile % across * 64;
  const int x = threadIdx.x % 16, y = threadIdx.x / 16;
  R sums[4][4] = {};
  for (int64_t k0 = first; k0 < last; k0 += 16) {
    for (int e = threadIdx.x; e < 1024; e += 256) {
      // Neighbouring threads read along the axis that lies dense.
      const int ka = left_along_k ? e % 16 : e / 64, i = left_along_k ? e / 16 : e % 64;
      const int kb = right_along_k ? e % 16 : e / 64, j = right_along_k ? e / 16 : e % 64;
      left[ka][i] = i0 + i < rows && k0 + ka < last ? job.left(i0 + i, k0 + ka) : R(0);
      right[kb][j] = j0 + j < columns && k0 + kb < last ? job.right(k0 + kb, j0 + j) : R(0);
    }
    __syncthreads();
    for (int kk = 0; kk < 16; ++kk)
      for (int r = 0; r < 4; ++r)
        for (int s = 0; s < 4; ++s) sums[r][s] += left[kk][y + 16 * r] * right[kk][x + 16 * s];
    __syncthreads();
  }
  for (int r = 0; r < 4; ++r)
    for (int s = 0; s < 4; ++s) {
      const int64_t i = i0 + y + 16 * r, j = j0 + x + 16 * s;
      if (i < rows && j < columns) job.write(i, j, sums[r][s]);
    }
}

// The same on tensor cores: a warp has 16 rows and 32 columns.
template <class T, class Job>
DEVICE void tensor_tile(const Job& job, int64_t rows, int64_t columns, int64_t first, int64_t last,
                        int64_t tile, bool left_along_k, bool right_along_k) {
  struct alignas(16) Side {
    T at[64][40];  // 32 along k; rows begin in different banks
  };
  __shared__ Side left, right;
  const int64_t across = (columns + 63) / 64;
  const int64_t i0 = tile / across * 64, j0 = tile % across * 64;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int row = warp % 4 * 16 + lane / 4, column = warp / 4 * 32, k = lane % 4 * 2;
  float sums[4][4] = {};
  for (int64_t k0 = first; k0 < last; k0 += 32) {
    for (int e = threadIdx.x; e < 2048; e += 256) {
      const int ka = left_along_k ? e % 32 : e / 64, i = left_along_k ? e / 32 : e % 64;
      const int kb = right_along_k ? e % 32 : e / 64, j = right_along_k ? e / 32 : e % 64;
      left.at[i][ka] = k::put<T>(i0 + i < rows && k0 + ka < last ? job.left(i0 + i, k0 + ka) : 0.0f);
      right.at[j][kb] =
          k::put<T>(j0 + j < columns && k0 + kb < last ? job.right(k0 + kb, j0 + j) : 0.0f);
    }
    __syncthreads();
    for (int s = 0; s < 32; s += 16) {
      const uint32_t a[4] = {word(&left.at[row][s + k]), word(&left.at[row + 8][s + k]),
                             word(&left.at[row][s + k + 8]), word(&left.at[row + 8][s + k + 8])};
      for (int t = 0; t < 4; ++t) {
        const T* b = &right.at[column + 8 * t + lane / 4][s + k];
        mma(sums[t], a, word(b), word(b + 8), T{});
      }
    }
    __syncthreads();
  }
  for (int t = 0; t < 4; ++t)
    for (int e = 0; e < 4; ++e) {
      const int64_t i = i0 + row + e / 2 * 8, j = j0 + column + 8 * t + k + e % 2;
      if (i < rows && j < columns) job.write(i, j, sums[t][e]);
    }
}
// T is the operands' type in memory.
template <class T, class Job>
DEVICE void product_tile(const Job& job, int64_t rows, int64_t columns, int64_t first, int64_t last,
                         int64_t tile, bool left_along_k, bool right_along_k) {
  if constexpr (kTensorCores && IsHalf<T>::value)
    tensor_tile<T>(job, rows, columns, first, last, tile, left_along_k, right_along_k);
  else
    fma_tile<In<T>>(job, rows, columns, first, last, tile, left_along_k, right_along_k);
}

struct Product {
  int64_t rows, columns, inner;
  int64_t a_row, a_inner, b_inner, b_column, c_row, c_column;
  int64_t batch[3], a_batch[3], b_batch[3], c_batch[3];
};
template <class T, bool BIAS, bool RELU>
struct Strided {
  using R = In<T>;
  const T *a, *b, *bias;
  T* c;
  Product p;
  __device__ R left(int64_t i, int64_t k) const { return k::get(a[i * p.a_row + k * p.a_inner]); }
  __device__ R right(int64_t k, int64_t j) const {
    return k::get(b[k * p.b_inner + j * p.b_column]);
  }
  __device__ void write(int64_t i, int64_t j, R sum) const {
    if (BIAS) sum += k::get(bias[j]);
    if (RELU) sum = k::maximum(sum, 0);
    c[i * p.c_row + j * p.c_column] = k::put<T>(sum);
  }
};
template <class T, bool BIAS, bool RELU>
DEVICE void product(const T* a, const T* b, const T* bias, T* c, const Product& p) {
  const int64_t tiles = (p.columns + 63) / 64 * ((p.rows + 63) / 64);
  int64_t rest = blockIdx.x / tiles;
  for (int axis = 2; axis >= 0; --axis) {
    const int64_t place = rest % p.batch[axis];
    rest /= p.batch[axis];
    a += place * p.a_batch[axis];
    b += place * p.b_batch[axis];
    c += place * p.c_batch[axis];
  }
  product_tile<T>(Strided<T, BIAS, RELU>{a, b, bias, c, p}, p.rows, p.columns, 0, p.inner,
                      blockIdx.x % tiles, p.a_inner == 1, p.b_inner == 1);
}

// -- convolutions as products, channels last, over three spatial axes

struct Axis {
  int64_t x, y, window, stride, dilation, before;
};
struct Windows {
  int64_t batch, channels, filters, groups, flags;
  Axis axis[3];
};
DEVICE int64_t cells(const Windows& w, bool of_y) {
  int64_t n = 1;
  for (int d = 0; d < 3; ++d) n *= of_y ? w.axis[d].y : w.axis[d].x;
  return n;
}
DEVICE int64_t window_size(const Windows& w) {
  return w.axis[0].window * w.axis[1].window * w.axis[2].window;
}
// Which pixel of x the window at pixel `out` (batch and all) of y has at `place`; -1 outside.
DEVICE int64_t under(const Windows& w, int64_t out, int64_t place) {
  int64_t pixel = 0, size = 1;
  for (int d = 2; d >= 0; --d) {
    const Axis& a = w.axis[d];
    const int64_t at = out % a.y * a.stride - a.before + place % a.window * a.dilation;
    if (at < 0 || at >= a.x) return -1;
    pixel += at * size;
    size *= a.x;
    out /= a.y;
    place /= a.window;
  }
  return out * size + pixel;
}
// Which pixel of y has pixel `in` of x at `place` of its window; -1 for none.
DEVICE int64_t over(const Windows& w, int64_t in, int64_t place) {
  int64_t pixel = 0, size = 1;
  for (int d = 2; d >= 0; --d) {
    const Axis& a = w.axis[d];
    const int64_t at = in % a.x + a.before - place % a.window * a.dilation;
    if (at < 0 || at % a.stride || at / a.stride >= a.y) return -1;
    pixel += at / a.stride * size;
    size *= a.y;
    in /= a.x;
    place /= a.window;
  }
  return in * size + pixel;
}

// Two neighbours at an even place.
template <class T, class R>
DEVICE void put_two(T* to, R first, R second) {
  *reinterpret_cast<Pack<T, 2>*>(to) = Pack<T, 2>{{k::put<T>(first), k::put<T>(second)}};
}

// y[pixel, filter] = sum over (place, channel) of x * kernel, within a group.
template <class T, bool BIAS, bool RELU>
struct Conv {
  using R = In<T>;
  const T *x, *kernel, *bias;
  T* y;
  Windows w;
  int64_t group, depth, width;  // channels and filters of a group
  __device__ R left(int64_t i, int64_t k) const {
    const int64_t pixel = under(w, i, k / depth);
    return pixel < 0 ? R(0) : k::get(x[pixel * w.channels + group * depth + k % depth]);
  }
  __device__ R right(int64_t k, int64_t j) const {
    return k::get(kernel[k * w.filters + group * width + j]);
  }
  __device__ void write(int64_t i, int64_t j, R sum) const {
    if (BIAS) sum += k::get(bias[group * width + j]);
    if (RELU) sum = k::maximum(sum, 0);
    y[i * w.filters + group * width + j] = k::put<T>(sum);
  }
  __device__ void write_two(int64_t i, int64_t j, R first, R second) const {
    if (BIAS) first += k::get(bias[group * width + j]), second += k::get(bias[group * width + j + 1]);
    if (RELU) first = k::maximum(first, 0), second = k::maximum(second, 0);
    put_two(y + i * w.filters + group * width + j, first, second);
  }
};
template <class T, bool BIAS, bool RELU>
DEVICE void conv(const T* x, const T* kernel, const T* bias, T* y, const Windows& w) {
  const int64_t depth = w.channels / w.groups, width = w.filters / w.groups;
  const int64_t rows = w.batch * cells(w, true), inner = window_size(w) * depth;
  const int64_t tiles = (rows + 63) / 64 * ((width + 63) / 64), group = blockIdx.x / tiles;
  product_tile<T>(Conv<T, BIAS, RELU>{x, kernel, bias, y, w, group, depth, width}, rows, width, 0,
                      inner, blockIdx.x % tiles, true, false);
}

// dx[pixel, channel] = sum over (place, filter) of g * kernel.
template <class T>
struct ConvInputGrad {
  using R = In<T>;
  const T *g, *kernel;
  T* dx;
  Windows w;
  int64_t group, depth, width;
  __device__ R left(int64_t i, int64_t k) const {
    const int64_t pixel = over(w, i, k / width);
    return pixel < 0 ? R(0) : k::get(g[pixel * w.filters + group * width + k % width]);
  }
  __device__ R right(int64_t k, int64_t j) const {
    return k::get(kernel[(k / width * depth + j) * w.filters + group * width + k % width]);
  }
  __device__ void write(int64_t i, int64_t j, R sum) const {
    dx[i * w.channels + group * depth + j] = k::put<T>(sum);
  }
  __device__ void write_two(int64_t i, int64_t j, R first, R second) const {
    put_two(dx + i * w.channels + group * depth + j, first, second);
  }
};
template <class T>
DEVICE void conv_input_grad(const T* g, const T* kernel, T* dx, const Windows& w) {
  const int64_t depth = w.channels / w.groups, width = w.filters / w.groups;
  const int64_t rows = w.batch * cells(w, false), inner = window_size(w) * width;
  const int64_t tiles = (rows + 63) / 64 * ((depth + 63) / 64), group = blockIdx.x / tiles;
  product_tile<T>(ConvInputGrad<T>{g, kernel, dx, w, group, depth, width}, rows, depth, 0, inner,
                      blockIdx.x % tiles, true, true);
}

// dkernel[(place, channel), filter] = sum over pixels of x * g; in `parts`, summed by join_parts.
template <class T>
struct ConvKernelGrad {
  using R = In<T>;
  const T *x, *g;
  R* partial;
  Windows w;
  int64_t group, depth, width;
  __device__ R left(int64_t i, int64_t k) const {
    const int64_t pixel = under(w, k, i / depth);
    return pixel < 0 ? R(0) : k::get(x[pixel * w.channels + group * depth + i % depth]);
  }
  __device__ R right(int64_t k, int64_t j) const {
    return k::get(g[k * w.filters + group * width + j]);
  }
  __device__ void write(int64_t i, int64_t j, R sum) const {
    partial[i * w.filters + group * width + j] = sum;
  }
  __device__ void write_two(int64_t i, int64_t j, R first, R second) const {
    put_two(partial + i * w.filters + group * width + j, first, second);
  }
};
template <class T>
DEVICE void conv_kernel_grad(const T* x, const T* g, In<T>* partial, const Windows& w,
                             int64_t parts) {
  const int64_t depth = w.channels / w.groups, width = w.filters / w.groups;
  const int64_t rows = window_size(w) * depth, inner = w.batch * cells(w, true);
  const int64_t tiles = (rows + 63) / 64 * ((width + 63) / 64);
  const int64_t group = blockIdx.x / tiles % w.groups, part = blockIdx.x / tiles / w.groups;
  const int64_t size = (inner + parts - 1) / parts, first = part * size;
  const int64_t last = first + size < inner ? first + size : inner;
  product_tile<T>(
      ConvKernelGrad<T>{x, g, partial + part * rows * w.filters, w, group, depth, width}, rows, width,
      first, last, blockIdx.x % tiles, false, false);
}
// Partial sums [parts, count] in the order of the parts.
template <class T>
DEVICE void join_parts(const In<T>* partial, T* out, int64_t parts, int64_t count) {
  const int64_t i = blockIdx.x * int64_t(256) + threadIdx.x;
  if (i >= count) return;
  In<T> sum = partial[i];
  for (int64_t p = 1; p < parts; ++p) sum += partial[p * count + i];
  out[i] = k::put<T>(sum);
}

// -- pooling: a thread for each result

template <class T>
DEVICE void max_pool(const T* x, T* y, const Windows& w) {
  using R = In<T>;
  const int64_t i = blockIdx.x * int64_t(256) + threadIdx.x, c = i % w.channels;
  if (i >= w.batch * cells(w, true) * w.channels) return;
  R top = Max::zero<R>();
  for (int64_t place = 0; place < window_size(w); ++place) {
    const int64_t pixel = under(w, i / w.channels, place);
    if (pixel >= 0) top = k::maximum(top, k::get(x[pixel * w.channels + c]));
  }
  y[i] = k::put<T>(top);
}
// The pixel of x with the first maximum of a window, -1 if that is padding.
template <class T>
DEVICE int64_t first_maximum(const T* x, const Windows& w, int64_t out, int64_t c) {
  using R = In<T>;
  int64_t chosen = -1;
  R best = Max::zero<R>();
  for (int64_t place = 0; place < window_size(w); ++place) {
    const int64_t pixel = under(w, out, place);
    const R value = pixel < 0 ? Max::zero<R>() : k::get(x[pixel * w.channels + c]);
    if (place == 0 || value > best) {
      best = value;
      chosen = pixel;
    }
  }
  return chosen;
}
template <class T>
DEVICE void max_pool_grad(const T* x, const T* g, T* dx, const Windows& w) {
  const int64_t i = blockIdx.x * int64_t(256) + threadIdx.x, c = i % w.channels;
  if (i >= w.batch * cells(w, false) * w.channels) return;
  In<T> sum = In<T>(0);
  for (int64_t place = window_size(w) - 1; place >= 0; --place) {
    const int64_t out = over(w, i / w.channels, place);
    if (out >= 0 && first_maximum(x, w, out, c) == i / w.channels)
      sum += k::get(g[out * w.channels + c]);
  }
  dx[i] = k::put<T>(sum);
}
template <class T>
DEVICE void max_pool_select(const T* x, const T* u, T* y, const Windows& w) {
  const int64_t i = blockIdx.x * int64_t(256) + threadIdx.x, c = i % w.channels;
  if (i >= w.batch * cells(w, true) * w.channels) return;
  const int64_t pixel = first_maximum(x, w, i / w.channels, c);
  y[i] = k::put<T>(pixel < 0 ? In<T>(0) : k::get(u[pixel * w.channels + c]));
}
template <class T>
DEVICE void window_sum(const T* x, T* y, const Windows& w) {
  const int64_t i = blockIdx.x * int64_t(256) + threadIdx.x, c = i % w.channels;
  if (i >= w.batch * cells(w, true) * w.channels) return;
  In<T> sum = In<T>(0);
  for (int64_t place = 0; place < window_size(w); ++place) {
    const int64_t pixel = under(w, i / w.channels, place);
    if (pixel >= 0) sum += k::get(x[pixel * w.channels + c]);
  }
  y[i] = k::put<T>(sum);
}
template <class T>
DEVICE void window_spread(const T* g, T* dx, const Windows& w) {
  const int64_t i = blockIdx.x * int64_t(256) + threadIdx.x, c = i % w.channels;
  if (i >= w.batch * cells(w, false) * w.channels) return;
  In<T> sum = In<T>(0);
  for (int64_t place = window_size(w) - 1; place >= 0; --place) {
    const int64_t out = over(w, i / w.channels, place);
    if (out >= 0) sum += k::get(g[out * w.channels + c]);
  }
  dx[i] = k::put<T>(sum);
}
