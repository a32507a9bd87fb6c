// Chains of elementwise ops with their broadcasts and closing reductions, tile by tile.
//
// The iteration space is flat: element i of the common shape. A tile of it goes through all ops of
// the chain while it is in the first-level cache. Values between ops lie in registers (buffers of
// one tile); dense operands are read and written where they are. Parameters are laid out by
// instructions/fused.py, which documents them.
#include "tile.h"

#include "kernel.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

enum Mode : int64_t { kDense, kScalar, kPeriodic, kRows, kGeneral };
enum Place : int64_t { kRegister, kInput, kOutput };
enum Form : int64_t { kNone, kTrailing, kLeading };

// At least what passes/fuse.py puts into a group, each of whose nodes may be an output.
constexpr int kMostInputs = 32, kMostOutputs = 40, kMostReductions = 8, kMostSources = 5;

struct Input {
  const char* data;
  int64_t mode, item, slot, period;
  const int64_t* general;  // rank, shape, strides
};

struct Op {
  TileFunction function;
  const int64_t* words;  // source count, sources, target, attributes
};

struct Reduction {
  int64_t op, dtype, source;
  char* out;
};

struct Chain {
  int64_t count, tile, chunk, register_bytes, registers;
  int64_t form, outer, red, inner;
  int64_t inputs, ops, outputs, reductions;
  Input input[kMostInputs];
  char* output[kMostOutputs];
  int64_t output_item[kMostOutputs];
  Reduction reduction[kMostReductions];
  const int64_t* op_words;
  char* partials;       // per chunk and reduction, where chunks share outputs
  int64_t partial_row;  // accumulators of one reduction in one chunk
};

// ---- loading
template <class T>
inline void fill(T* target, T value, int64_t count) {
  for (int64_t i = 0; i < count; ++i) target[i] = value;
}

void fill_item(char* target, const char* source, int64_t item, int64_t count) {
  switch (item) {
    case 1: return fill(reinterpret_cast<int8_t*>(target), *reinterpret_cast<const int8_t*>(source), count);
    case 2: return fill(reinterpret_cast<int16_t*>(target), *reinterpret_cast<const int16_t*>(source), count);
    case 4: return fill(reinterpret_cast<int32_t*>(target), *reinterpret_cast<const int32_t*>(source), count);
    case 8: return fill(reinterpret_cast<int64_t*>(target), *reinterpret_cast<const int64_t*>(source), count);
  }
}

void load_periodic(const Input& in, char* target, int64_t start, int64_t count) {
  int64_t at = start % in.period;
  while (count > 0) {
    int64_t run = in.period - at < count ? in.period - at : count;
    __builtin_memcpy(target, in.data + at * in.item, static_cast<size_t>(run * in.item));
    target += run * in.item;
    count -= run;
    at = 0;
  }
}

void load_rows(const Input& in, char* target, int64_t start, int64_t count) {
  int64_t row = start / in.period, at = start % in.period;
  while (count > 0) {
    int64_t run = in.period - at < count ? in.period - at : count;
    fill_item(target, in.data + row * in.item, in.item, run);
    target += run * in.item;
    count -= run;
    at = 0;
    ++row;
  }
}

template <class T>
void load_general(const Input& in, T* target, int64_t start, int64_t count) {
  const int64_t rank = in.general[0], *shape = in.general + 1, *strides = shape + rank;
  const T* source = reinterpret_cast<const T*>(in.data);
  int64_t index[16];
  for (int64_t axis = rank - 1, rest = start; axis >= 0; --axis) {
    index[axis] = rest % shape[axis];
    rest /= shape[axis];
    source += index[axis] * strides[axis];
  }
  const int64_t last = rank - 1, step = strides[last];
  while (count > 0) {
    int64_t run = shape[last] - index[last] < count ? shape[last] - index[last] : count;
    for (int64_t i = 0; i < run; ++i) target[i] = source[i * step];
    target += run;
    count -= run;
    source += run * step;
    index[last] += run;
    for (int64_t axis = last; axis > 0 && index[axis] == shape[axis]; --axis) {
      source += strides[axis - 1] - shape[axis] * strides[axis];
      index[axis] = 0;
      ++index[axis - 1];
    }
  }
}

void load(const Input& in, char* target, int64_t start, int64_t count) {
  switch (in.mode) {
    case kPeriodic: return load_periodic(in, target, start, count);
    case kRows: return load_rows(in, target, start, count);
    case kGeneral:
      switch (in.item) {
        case 1: return load_general(in, reinterpret_cast<int8_t*>(target), start, count);
        case 2: return load_general(in, reinterpret_cast<int16_t*>(target), start, count);
        case 4: return load_general(in, reinterpret_cast<int32_t*>(target), start, count);
        case 8: return load_general(in, reinterpret_cast<int64_t*>(target), start, count);
      }
  }
}

// ---- reductions
template <class T>
struct Wide {
  using type = int64_t;
};
template <>
struct Wide<float> {
  using type = double;
};
template <>
struct Wide<double> {
  using type = double;
};

template <class T>
struct Sum {
  static T start() { return T(0); }
  static T join(T a, T b) { return a + b; }
  static constexpr bool wide = true;
};
template <class T>
struct Product {
  static T start() { return T(1); }
  static T join(T a, T b) { return a * b; }
  static constexpr bool wide = false;
};
// The first NaN met stays, as in NumPy.
template <class T>
struct Most {
  static T join(T a, T b) { return a > b || a != a ? a : b; }
  static constexpr bool wide = false;
};
template <class T>
struct Least {
  static T join(T a, T b) { return a < b || a != a ? a : b; }
  static constexpr bool wide = false;
};
template <class T>
struct Any {
  static T start() { return T(0); }
  static T join(T a, T b) { return a | b; }
  static constexpr bool wide = false;
};
template <class T>
struct All {
  static T start() { return T(1); }
  static T join(T a, T b) { return a & b; }
  static constexpr bool wide = false;
};

// One run of elements in a fixed order: 32 lanes, then pairs of lanes.
template <class T, class R>
T reduce_run(const T* x, int64_t count) {
  constexpr int64_t lanes = 32;
  if (count < lanes) {
    T total = x[0];
    for (int64_t i = 1; i < count; ++i) total = R::join(total, x[i]);
    return total;
  }
  T lane[lanes];
  for (int64_t k = 0; k < lanes; ++k) lane[k] = x[k];
  int64_t i = lanes;
  for (; i + lanes <= count; i += lanes)
    for (int64_t k = 0; k < lanes; ++k) lane[k] = R::join(lane[k], x[i + k]);
  for (int64_t k = 0; i < count; ++i, ++k) lane[k] = R::join(lane[k], x[i]);
  for (int64_t width = lanes / 2; width > 0; width /= 2)
    for (int64_t k = 0; k < width; ++k) lane[k] = R::join(lane[k], lane[k + width]);
  return lane[0];
}

// What a chunk has so far of a result; `fresh` until its first element.
template <class T, class R>
inline void absorb(typename Wide<T>::type& total, T part, bool fresh) {
  using W = typename Wide<T>::type;
  if (fresh)
    total = static_cast<W>(part);
  else if constexpr (R::wide)
    total += static_cast<W>(part);
  else
    total = static_cast<W>(R::join(static_cast<T>(total), part));
}

// Trailing axes: rows of `red` elements.
template <class T, class R>
void trailing(const Chain& chain, const T* x, int64_t start, int64_t count, T* out,
              typename Wide<T>::type* partial) {
  const int64_t red = chain.red;
  if (chain.outer == 1) {  // one result, from all chunks
    absorb<T, R>(*partial, reduce_run<T, R>(x, count), start % chain.chunk == 0);
    return;
  }
  if (start % red == 0) {  // whole rows: no division for each
    T* to = out + start / red;
    for (; count >= red; start += red, count -= red, x += red) *to++ = reduce_run<T, R>(x, red);
  }
  while (count > 0) {
    int64_t at = start % red, run = red - at < count ? red - at : count;
    T part = reduce_run<T, R>(x, run);
    if (at == 0 && run == red) {
      out[start / red] = part;
    } else {  // rows longer than a tile; a chunk holds whole rows
      absorb<T, R>(*partial, part, at == 0);
      if (at + run == red) out[start / red] = static_cast<T>(*partial);
    }
    x += run;
    start += run;
    count -= run;
  }
}

// Leading axes: column c of `inner` is the sum over rows; per tile first, then per chunk.
template <class T, class R>
void leading(const Chain& chain, const T* x, int64_t start, int64_t count, T* out,
             typename Wide<T>::type* partial) {
  const int64_t inner = chain.inner, block = chain.red * inner;
  while (count > 0) {
    int64_t column = start % inner, row = (start / inner) % chain.red;
    int64_t rows = count / inner, width = inner;
    if (column || rows == 0) {  // a part of one row
      rows = 1;
      width = inner - column < count ? inner - column : count;
    } else if (rows > chain.red - row) {
      rows = chain.red - row;
    }
    bool fresh = chain.outer == 1 ? start - column == start / chain.chunk * chain.chunk : row == 0;
    for (int64_t c0 = 0; c0 < width; c0 += 64) {
      T lane[64];
      int64_t lanes = width - c0 < 64 ? width - c0 : 64;
      const T* from = x + c0;
      if (lanes == 64) {
        for (int64_t k = 0; k < 64; ++k) lane[k] = from[k];
        for (int64_t r = 1; r < rows; ++r)
          for (int64_t k = 0; k < 64; ++k) lane[k] = R::join(lane[k], from[r * inner + k]);
      } else {
        for (int64_t k = 0; k < lanes; ++k) lane[k] = from[k];
        for (int64_t r = 1; r < rows; ++r)
          for (int64_t k = 0; k < lanes; ++k) lane[k] = R::join(lane[k], from[r * inner + k]);
      }
      for (int64_t k = 0; k < lanes; ++k)
        absorb<T, R>(partial[column + c0 + k], lane[k], fresh);
    }
    if (chain.outer > 1 && row + rows == chain.red) {
      T* to = out + start / block * inner + column;
      for (int64_t k = 0; k < width; ++k) to[k] = static_cast<T>(partial[column + k]);
    }
    int64_t run = column || width < inner ? width : rows * inner;
    x += run;
    start += run;
    count -= run;
  }
}

// The partial results of all chunks, in order.
template <class T, class R>
void combine(const Chain& chain, int64_t which, int64_t chunks, T* out) {
  using W = typename Wide<T>::type;
  const W* partial = reinterpret_cast<const W*>(chain.partials) + which * chain.partial_row;
  const int64_t step = chain.reductions * chain.partial_row;
  for (int64_t c = 0; c < chain.inner; ++c) {
    W total = partial[c];
    for (int64_t k = 1; k < chunks; ++k) {
      W part = partial[k * step + c];
      if constexpr (R::wide)
        total += part;
      else
        total = static_cast<W>(R::join(static_cast<T>(total), static_cast<T>(part)));
    }
    out[c] = static_cast<T>(total);
  }
}

enum Step { kAbsorb, kCombine };

template <class T, class R>
void apply(Step step, const Chain& chain, int64_t which, const char* x, int64_t start,
           int64_t count, char* partial) {
  using W = typename Wide<T>::type;
  T* out = reinterpret_cast<T*>(chain.reduction[which].out);
  if (step == kCombine)
    return combine<T, R>(chain, which, count, out);
  if (chain.form == kTrailing)
    trailing<T, R>(chain, reinterpret_cast<const T*>(x), start, count, out, reinterpret_cast<W*>(partial));
  else
    leading<T, R>(chain, reinterpret_cast<const T*>(x), start, count, out, reinterpret_cast<W*>(partial));
}

template <class T>
void choose(Step step, const Chain& chain, int64_t which, const char* x, int64_t start,
            int64_t count, char* partial) {
  switch (chain.reduction[which].op) {
    case 0: return apply<T, Sum<T>>(step, chain, which, x, start, count, partial);
    case 1: return apply<T, Most<T>>(step, chain, which, x, start, count, partial);
    case 2: return apply<T, Least<T>>(step, chain, which, x, start, count, partial);
    case 3: return apply<T, Product<T>>(step, chain, which, x, start, count, partial);
  }
}

void reduce(Step step, const Chain& chain, int64_t which, const char* x, int64_t start,
            int64_t count, char* partial) {
  switch (chain.reduction[which].dtype) {
    case 0: return choose<float>(step, chain, which, x, start, count, partial);
    case 1: return choose<double>(step, chain, which, x, start, count, partial);
    case 2: return choose<int32_t>(step, chain, which, x, start, count, partial);
    case 3: return choose<int64_t>(step, chain, which, x, start, count, partial);
    case 4:  // bool
      if (chain.reduction[which].op == 4)
        return apply<uint8_t, Any<uint8_t>>(step, chain, which, x, start, count, partial);
      return apply<uint8_t, All<uint8_t>>(step, chain, which, x, start, count, partial);
  }
}

// ---- the chain
const int64_t* read_inputs(Chain& chain, const int64_t* p, void* const* data) {
  for (int64_t i = 0; i < chain.inputs; ++i) {
    Input& in = chain.input[i];
    in.data = static_cast<const char*>(data[i]);
    in.mode = *p++;
    in.item = *p++;
    in.slot = *p++;
    in.period = *p++;
    in.general = p;
    if (in.mode == kGeneral) p += 1 + 2 * *p;
  }
  return p;
}

void run_chunk(const Chain& chain, int64_t chunk) {
  char* registers = thread_scratch(static_cast<size_t>(chain.registers * chain.register_bytes + 64));
  const int64_t begin = chunk * chain.chunk;
  const int64_t end = begin + chain.chunk < chain.count ? begin + chain.chunk : chain.count;
  for (int64_t i = 0; i < chain.inputs; ++i) {
    const Input& in = chain.input[i];
    char* target = registers + in.slot * chain.register_bytes;
    const int64_t most = chain.tile < end - begin ? chain.tile : end - begin;
    if (in.mode == kScalar) fill_item(target, in.data, in.item, most);
    // The period divides the tile: the same in every tile.
    if (in.mode == kPeriodic && chain.tile % in.period == 0) load_periodic(in, target, 0, most);
  }
  for (int64_t start = begin; start < end; start += chain.tile) {
    const int64_t count = end - start < chain.tile ? end - start : chain.tile;
    for (int64_t i = 0; i < chain.inputs; ++i) {
      const Input& in = chain.input[i];
      if (in.mode < kPeriodic || (in.mode == kPeriodic && chain.tile % in.period == 0)) continue;
      load(in, registers + in.slot * chain.register_bytes, start, count);
    }
    auto address = [&](int64_t code) -> char* {
      const int64_t index = code >> 2;
      switch (code & 3) {
        case kRegister: return registers + index * chain.register_bytes;
        case kInput:
          return const_cast<char*>(chain.input[index].data) + start * chain.input[index].item;
        default: return chain.output[index] + start * chain.output_item[index];
      }
    };
    const int64_t* word = chain.op_words;
    for (int64_t k = 0; k < chain.ops; ++k) {
      TileFunction function = find_tile(*word++);
      const int64_t sources = *word++;
      const void* source[kMostSources];
      for (int64_t s = 0; s < sources; ++s) source[s] = address(*word++);
      char* target = address(*word++);
      const int64_t attributes = *word++;
      function(source, target, count, reinterpret_cast<const double*>(word));
      word += attributes;
    }
    for (int64_t r = 0; r < chain.reductions; ++r) {
      char* partial = chain.partials + (chunk * chain.reductions + r) * chain.partial_row * 8;
      reduce(kAbsorb, chain, r, address(chain.reduction[r].source), start, count, partial);
    }
  }
}

void fused(const Call& call) {
  Chain chain;
  const int64_t* p = call.params;
  chain.count = *p++;
  chain.tile = *p++;
  chain.chunk = *p++;
  chain.registers = *p++;
  chain.register_bytes = *p++;
  chain.inputs = *p++;
  chain.ops = *p++;
  chain.outputs = *p++;
  chain.reductions = *p++;
  chain.form = *p++;
  chain.outer = *p++;
  chain.red = *p++;
  chain.inner = *p++;
  chain.partial_row = *p++;
  chain.partials = call.scratch;
  p = read_inputs(chain, p, call.data);
  void* const* targets = call.data + chain.inputs;
  for (int64_t i = 0; i < chain.outputs; ++i) {
    chain.output[i] = static_cast<char*>(*targets++);
    chain.output_item[i] = *p++;
  }
  for (int64_t i = 0; i < chain.reductions; ++i) {
    Reduction& reduction = chain.reduction[i];
    reduction.op = *p++;
    reduction.dtype = *p++;
    reduction.source = *p++;
    reduction.out = static_cast<char*>(*targets++);
  }
  chain.op_words = p;
  const int64_t chunks = (chain.count + chain.chunk - 1) / chain.chunk;
  parallel_for(call.pool, chunks, [&](int64_t chunk) { run_chunk(chain, chunk); });
  const bool shared = chain.outer == 1;
  for (int64_t r = 0; shared && r < chain.reductions; ++r)
    reduce(kCombine, chain, r, nullptr, 0, chunks, nullptr);
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(fused, {"fused", fused})
