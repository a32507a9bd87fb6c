// Convolutions as products in stages: the paths of their operands through images, and the three kernels.

#define UNROLL _Pragma("unroll")

// A place on each of three axes.
struct Spot {
  int at[3];
};
// The pixel `number` of an image of these sizes, and which image.
DEVICE Spot spot_of(int number, const int (&size)[3], int* image) {
  Spot s;
  for (int d = 2; d >= 0; --d) {
    s.at[d] = number % size[d];
    number /= size[d];
  }
  *image = number;
  return s;
}

// Of one axis: the pixel that a window or a pixel meets at a place is (start + place * gap) / step, if
// that is whole and within.
struct Steps {
  int size[3], gap[3], step[3], window[3];
};
template <bool STEPPED>
DEVICE int met(const Steps& s, const Spot& start, const Spot& place, int image) {
  int pixel = image;
  UNROLL
  for (int d = 0; d < 3; ++d) {
    int at = start.at[d] + place.at[d] * s.gap[d];
    if (STEPPED) {
      if (at < 0 || at % s.step[d]) return -1;
      at /= s.step[d];
    }
    if (uint32_t(at) >= uint32_t(s.size[d])) return -1;
    pixel = pixel * s.size[d] + at;
  }
  return pixel;
}

// Rows are pixels of one array, k places of the window and channels of the other.
template <class T, class C, bool STEPPED>
struct Around {
  const T *from, *at[C::COPIES];
  Steps steps;
  Spot start[C::COPIES], place;
  int image[C::COPIES], channel, depth, pitch;  // image -1: no such row
  __device__ const T* address(int c) const { return at[c]; }
  __device__ void step() {
    channel += C::SLICE;
    if (channel >= depth) return settle();
    UNROLL
    for (int c = 0; c < C::COPIES; ++c) at[c] = at[c] ? at[c] + C::SLICE : nullptr;
  }
  // To the place that the channel has come to.
  __device__ void settle() {
    while (channel >= depth) {
      channel -= depth;
      if (++place.at[2] < steps.window[2]) continue;
      place.at[2] = 0;
      if (++place.at[1] < steps.window[1]) continue;
      place.at[1] = 0;
      ++place.at[0];
    }
    UNROLL
    for (int c = 0; c < C::COPIES; ++c) {
      const bool within = image[c] >= 0 && place.at[0] < steps.window[0];
      const int pixel = within ? met<STEPPED>(steps, start[c], place, image[c]) : -1;
      at[c] = pixel < 0 ? nullptr : from + int64_t(pixel) * pitch + channel;
    }
  }
};
// `own`: sizes of the array that rows are pixels of; start = pixel * scale + shift.
template <class T, class C, bool STEPPED>
DEVICE Around<T, C, STEPPED> around(const T* from, const Steps& steps, const int (&own)[3],
                                    const int (&scale)[3], const int (&shift)[3], int64_t row, int64_t rows,
                                    int depth, int pitch) {
  Around<T, C, STEPPED> path;
  path.from = from;
  path.steps = steps;
  path.channel = C::k(), path.depth = depth, path.pitch = pitch;
  path.place = Spot{{0, 0, 0}};
  UNROLL
  for (int c = 0; c < C::COPIES; ++c) {
    const int64_t number = row + C::row() + c * C::ROWS_ON;
    path.image[c] = -1;
    if (number >= rows) continue;
    path.start[c] = spot_of(int(number), own, &path.image[c]);
    for (int d = 0; d < 3; ++d) path.start[c].at[d] = path.start[c].at[d] * scale[d] + shift[d];
  }
  path.settle();
  return path;
}

// Of the kernel [place][column][k]: rows are columns of the product, k places and filters.
template <class T, class C>
struct Turned {
  const T* from;
  int64_t leap;  // from one place to the next, its filters left out
  int row_step, rows_left, filter, width, places_left;
  __device__ const T* address(int c) const {
    return c * C::ROWS_ON < rows_left && places_left > 0 ? from + c * C::ROWS_ON * row_step : nullptr;
  }
  __device__ void step() {
    filter += C::SLICE;
    from += C::SLICE;
    settle();
  }
  __device__ void settle() {
    while (filter >= width) {
      filter -= width;
      from += leap;
      --places_left;
    }
  }
};

// Rows are places and channels, k pixels of y, under which this finds those of x.
template <class T, class C>
struct Under {
  const T* from;  // null: no such rows
  Spot out[C::COPIES];
  int size[3], of_y[3], scale[3], shift[3], image[C::COPIES], k_left, pitch;
  __device__ const T* address(int c) const {
    if (!from || c * C::K_ON >= k_left) return nullptr;
    int pixel = image[c];
    UNROLL
    for (int d = 0; d < 3; ++d) {
      const int at = out[c].at[d] * scale[d] + shift[d];
      if (uint32_t(at) >= uint32_t(size[d])) return nullptr;
      pixel = pixel * size[d] + at;
    }
    return from + int64_t(pixel) * pitch;
  }
  __device__ void step() {
    k_left -= C::SLICE;
    UNROLL
    for (int c = 0; c < C::COPIES; ++c) {
      int* at = out[c].at;
      at[2] += C::SLICE;
      while (at[2] >= of_y[2]) {
        at[2] -= of_y[2];
        if (++at[1] < of_y[1]) continue;
        at[1] = 0;
        if (++at[0] < of_y[0]) continue;
        at[0] = 0;
        ++image[c];
      }
    }
  }
};

// Where a block's tile lies: tiles of one group after the other, columns first.
struct Corner {
  int64_t i, j, group;
};
template <int M, int N>
DEVICE Corner corner_of(int64_t block, int64_t rows, int64_t columns) {
  const int64_t across = (columns + N - 1) / N, tiles = across * ((rows + M - 1) / M);
  return Corner{block % tiles / across * M, block % tiles % across * N, block / tiles};
}

template <class T, bool BIAS, bool RELU, bool TENSOR, int M, int N>
DEVICE void conv_staged(const T* x, const T* kernel, const T* bias, T* y, const Windows& w) {
  using E = typename Engine<T, TENSOR, M, N, true, false>::type;
  const int64_t depth = w.channels / w.groups, width = w.filters / w.groups;
  const int64_t rows = w.batch * cells(w, true), inner = window_size(w) * depth;
  const Corner at = corner_of<M, N>(blockIdx.x, rows, width);
  Steps steps;
  int own[3], scale[3], shift[3];
  for (int d = 0; d < 3; ++d) {
    const Axis& a = w.axis[d];
    steps.size[d] = a.x, steps.gap[d] = a.dilation, steps.step[d] = 1, steps.window[d] = a.window;
    own[d] = a.y, scale[d] = a.stride, shift[d] = -a.before;
  }
  using R = typename E::R;
  staged_tile<E, T, M, N>(
      Conv<T, BIAS, RELU>{x, kernel, bias, y, w, at.group, depth, width},
      around<T, typename E::L, false>(x + at.group * depth, steps, own, scale, shift, at.i, rows, depth,
                                      w.channels),
      Line<T, R>(kernel + at.group * width, at.j, width, 1, 0, inner, w.filters), x, inner, at.i, at.j,
      rows, width);
}

template <class T, bool STEPPED, bool TENSOR, int M, int N>
DEVICE void conv_input_grad_staged(const T* g, const T* kernel, T* dx, const Windows& w) {
  using E = typename Engine<T, TENSOR, M, N, true, true>::type;
  using R = typename E::R;
  const int64_t depth = w.channels / w.groups, width = w.filters / w.groups;
  const int64_t rows = w.batch * cells(w, false), inner = window_size(w) * width;
  const Corner at = corner_of<M, N>(blockIdx.x, rows, depth);
  Steps steps;
  int own[3], scale[3], shift[3];
  for (int d = 0; d < 3; ++d) {
    const Axis& a = w.axis[d];
    steps.size[d] = a.y, steps.gap[d] = -a.dilation, steps.step[d] = a.stride, steps.window[d] = a.window;
    own[d] = a.x, scale[d] = 1, shift[d] = a.before;
  }
  Turned<T, R> right;
  right.from = kernel + (at.j + R::row()) * w.filters + at.group * width + R::k();
  right.leap = depth * w.filters - width, right.row_step = w.filters;
  right.rows_left = depth - at.j - R::row();
  right.filter = R::k(), right.width = width, right.places_left = window_size(w);
  right.settle();
  staged_tile<E, T, M, N>(
      ConvInputGrad<T>{g, kernel, dx, w, at.group, depth, width},
      around<T, typename E::L, STEPPED>(g + at.group * width, steps, own, scale, shift, at.i, rows, width,
                                        w.filters),
      right, g, inner, at.i, at.j, rows, depth);
}

template <class T, bool TENSOR, int M, int N>
DEVICE void conv_kernel_grad_staged(const T* x, const T* g, float* partial, const Windows& w,
                                    int64_t parts) {
  using E = typename Engine<T, TENSOR, M, N, false, false>::type;
  using L = typename E::L;
  const int64_t depth = w.channels / w.groups, width = w.filters / w.groups;
  const int64_t rows = window_size(w) * depth, inner = w.batch * cells(w, true);
  const Corner at = corner_of<M, N>(blockIdx.x, rows, width);
  const int64_t group = at.group % w.groups, part = at.group / w.groups;
  const int64_t size = (inner + parts - 1) / parts, first = part * size;
  const int64_t last = first + size < inner ? first + size : inner;
  const int64_t row = at.i + L::row();
  Under<T, L> left;
  left.from = row < rows ? x + group * depth + row % depth : nullptr;
  left.k_left = last - first - L::k(), left.pitch = w.channels;
  int64_t place = row / depth;
  for (int d = 2; d >= 0; --d) {
    const Axis& a = w.axis[d];
    left.size[d] = a.x, left.of_y[d] = a.y, left.scale[d] = a.stride;
    left.shift[d] = place % a.window * a.dilation - a.before;
    place /= a.window;
  }
  for (int c = 0; c < L::COPIES; ++c)
    left.out[c] = spot_of(int(first) + L::k() + c * L::K_ON, left.of_y, &left.image[c]);
  using R = typename E::R;
  staged_tile<E, T, M, N>(
      ConvKernelGrad<T>{x, g, partial + part * rows * w.filters, w, group, depth, width}, left,
      Line<T, R>(g + group * width, at.j, width, 1, first, last, w.filters), x, last - first, at.i, at.j,
      rows, width);
}
#undef UNROLL
