// Reading and writing the parts of an array that index arrays name.
//
// An indexed part is a loop over front axes, positions and rest axes. The offset in the array is
// the sum of the three; in the other array (the result, or the values written) they follow each
// other densely. The positions are those of the index arrays, which broadcast together.
#include "blocks.h"
#include "types.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

// The offset of a position that is out of range, far below all others.
constexpr int64_t kFar = -(int64_t(1) << 57);
inline bool outside(int64_t offset) { return offset < kFar / 2; }

struct Axes {
  int64_t count = 1;
  int rank = 0;
  const int64_t* pairs = nullptr;  // size and step of each

  const int64_t* read(const int64_t* p) {
    rank = static_cast<int>(*p++);
    pairs = p;
    for (int axis = 0; axis < rank; ++axis) count *= p[2 * axis];
    return p + 2 * rank;
  }
  int64_t offset(int64_t place) const {
    int64_t found = 0;
    for (int axis = rank - 1; axis >= 0; --axis) {
      found += place % pairs[2 * axis] * pairs[2 * axis + 1];
      place /= pairs[2 * axis];
    }
    return found;
  }
};

// params: type, item size, what to do outside (0 fail, 1 fill or drop), a value of 16 bytes,
// elements of the array, whether the array is given by one element, the offset of all, then rank
// and pairs (size, step) of the front axes and of the rest axes, rank and shape of the positions,
// how many index arrays, and for each its type, size and step of the axis that it indexes and its
// steps
struct Part {
  Type type;
  int64_t item;
  bool forgiving;
  const void* value;
  int64_t size;
  bool uniform;
  int64_t start;
  Axes front, rest;
  int rank;
  const int64_t* shape;
  int64_t positions = 1;
  int64_t tensors;
  const int64_t* p;

  explicit Part(const int64_t* params) {
    type = static_cast<Type>(params[0]);
    item = params[1];
    forgiving = params[2];
    value = params + 3;
    size = params[5];
    uniform = params[6];
    start = params[7];
    p = rest.read(front.read(params + 8));
    rank = static_cast<int>(*p++);
    shape = p;
    for (int axis = 0; axis < rank; ++axis) positions *= shape[axis];
    p += rank;
    tensors = *p++;
  }
};

template <class I>
void add_offsets(const void* index, const int64_t* steps, const Part& part, int64_t size,
                 int64_t step, int64_t first, int64_t count, int64_t* found) {
  int64_t inner = part.rank ? part.shape[part.rank - 1] : 1;
  int64_t along = part.rank ? steps[part.rank - 1] : 0;
  while (count > 0) {
    int64_t place = first / inner, start = first % inner, at = start * along;
    for (int axis = part.rank - 2; axis >= 0; --axis) {
      at += place % part.shape[axis] * steps[axis];
      place /= part.shape[axis];
    }
    const I* from = static_cast<const I*>(index) + at;
    int64_t run = inner - start < count ? inner - start : count;
    for (int64_t i = 0; i < run; ++i) {
      int64_t k = static_cast<int64_t>(from[i * along]);
      k += k < 0 ? size : 0;
      found[i] += k < 0 || k >= size ? kFar : k * step;
    }
    first += run;
    found += run;
    count -= run;
  }
}

// The offsets of the positions [first, first + count).
void find_offsets(const Part& part, void* const* tensors, int64_t first, int64_t count,
                  int64_t* found) {
  for (int64_t i = 0; i < count; ++i) found[i] = part.start;
  const int64_t* p = part.p;
  for (int64_t t = 0; t < part.tensors; ++t, p += 3 + part.rank) {
#define KERASISH_INDEX(T) \
  add_offsets<T>(tensors[t], p + 3, part, p[1], p[2], first, count, found); break
    switch (p[0]) {
      case kInt8: KERASISH_INDEX(int8_t);
      case kInt16: KERASISH_INDEX(int16_t);
      case kInt32: KERASISH_INDEX(int32_t);
      case kInt64: KERASISH_INDEX(int64_t);
      case kUint8: KERASISH_INDEX(uint8_t);
      case kUint16: KERASISH_INDEX(uint16_t);
      case kUint32: KERASISH_INDEX(uint32_t);
      case kUint64: KERASISH_INDEX(uint64_t);
    }
#undef KERASISH_INDEX
  }
}

void check_offsets(const Part& part, const int64_t* offsets, int64_t count) {
  if (part.forgiving) return;
  for (int64_t i = 0; i < count; ++i)
    if (outside(offsets[i])) fail_index();
}

// All offsets, in the kernel's scratch memory.
const int64_t* all_offsets(const Call& call, const Part& part, void* const* tensors) {
  constexpr int64_t piece = 1 << 15;
  int64_t* offsets = reinterpret_cast<int64_t*>(call.scratch);
  parallel_for(call.pool, (part.positions + piece - 1) / piece, [&](int64_t i) {
    int64_t first = i * piece, left = part.positions - first;
    find_offsets(part, tensors, first, left < piece ? left : piece, offsets + first);
  });
  check_offsets(part, offsets, part.positions);
  return offsets;
}

// Calls body(offset, place, length) for the runs of the rest axes: `length` elements along the
// last one.
template <class F>
inline void each_run(const Axes& rest, const F& body) {
  if (rest.rank <= 1) return body(int64_t(0), int64_t(0), rest.count);
  int64_t length = rest.pairs[2 * rest.rank - 2];
  Axes outer = rest;
  --outer.rank;
  for (int64_t place = 0; place < rest.count; place += length)
    body(outer.offset(place / length), place, length);
}
inline int64_t run_step(const Axes& rest) { return rest.rank ? rest.pairs[2 * rest.rank - 1] : 1; }

// ---- gather

template <class T>
void gather_part(const Call& call) {
  Part part(call.params);
  const T* source = static_cast<const T*>(call.data[0]);
  void* const* tensors = call.data + 1;
  T* target = static_cast<T*>(call.data[1 + part.tensors]);
  T fill;
  __builtin_memcpy(&fill, part.value, sizeof fill);
  const int64_t* offsets = all_offsets(call, part, tensors);
  const int64_t rest = part.rest.count, step = run_step(part.rest);
  if (rest == 0 || part.positions == 0) return;
  int64_t total = part.front.count * part.positions;
  int64_t piece = kPiece / static_cast<int64_t>(sizeof(T)) / rest + 1;
  parallel_for(call.pool, (total + piece - 1) / piece, [&](int64_t i) {
    int64_t first = i * piece, last = first + piece < total ? first + piece : total;
    while (first < last) {
      const T* base = source + part.front.offset(first / part.positions);
      int64_t b = first % part.positions;
      int64_t end = b + (last - first) < part.positions ? b + (last - first) : part.positions;
      T* out = target + first * rest;
      first += end - b;
      if (rest == 1) {
        for (; b < end; ++b) *out++ = outside(offsets[b]) ? fill : base[offsets[b]];
        continue;
      }
      for (; b < end; ++b, out += rest) {
        if (outside(offsets[b])) {
          for (int64_t r = 0; r < rest; ++r) out[r] = fill;
          continue;
        }
        if (b + 8 < end && !outside(offsets[b + 8])) __builtin_prefetch(base + offsets[b + 8]);
        each_run(part.rest, [&](int64_t at, int64_t place, int64_t length) {
          copy_line(base + offsets[b] + at, step, out + place, int64_t(1), length);
        });
      }
    }
  });
}

// data: the array, the index arrays, the result; params: see Part; scratch: 8 bytes a position
void gather(const Call& call) {
#define KERASISH_GATHER(T) return gather_part<T>(call)
  switch (call.params[1]) {
    case 1: KERASISH_GATHER(int8_t);
    case 2: KERASISH_GATHER(int16_t);
    case 4: KERASISH_GATHER(int32_t);
    case 8: KERASISH_GATHER(int64_t);
    case 16: KERASISH_GATHER(Wide);
  }
#undef KERASISH_GATHER
}

// ---- writing: what meets what is there

template <class T>
struct Set {
  using Item = T;
  using Sum = T;
  static T meet(T, T value) { return value; }
};
template <class T>
struct Add {
  using Item = T;
  using Sum = T;
  static T meet(T held, T value) { return static_cast<T>(held + value); }
};
template <class T>
struct AddWide {  // half types add up in float
  using Item = T;
  using Sum = float;
  static float meet(float held, T value) { return held + widen(value); }
};
template <class T>
struct Greater {
  using Item = T;
  using Sum = T;
  static T meet(T held, T value) { return value > held || value != value ? value : held; }
};
template <class T>
struct GreaterWide {
  using Item = T;
  using Sum = T;
  static T meet(T held, T value) {
    return widen(value) > widen(held) || widen(value) != widen(value) ? value : held;
  }
};

// Sets [first, last) of the target to the array.
template <class T>
inline void begin(const Part& part, const T* source, T* target, int64_t first, int64_t last) {
  if (part.uniform) {
    T value = *source;
    uint64_t words[2] = {0, 0};
    __builtin_memcpy(words, &value, sizeof value);
    if ((words[0] | words[1]) == 0)
      __builtin_memset(target + first, 0, static_cast<size_t>(last - first) * sizeof(T));
    else
      for (int64_t i = first; i < last; ++i) target[i] = value;
  } else if (source != target) {
    __builtin_memcpy(target + first, source + first, static_cast<size_t>(last - first) * sizeof(T));
  }
}
template <class T>
inline void begin_wide(const Part& part, const T* source, float* target, int64_t first,
                       int64_t last) {
  for (int64_t i = first; i < last; ++i) target[i] = widen(source[part.uniform ? 0 : i]);
}

template <class T, class S>
inline void begin_with(const Part& part, const T* source, S* target, int64_t first, int64_t last) {
  if constexpr (sizeof(S) == sizeof(T))
    begin(part, source, target, first, last);
  else
    begin_wide(part, source, target, first, last);
}

template <class Op, class T, class S>
inline void meet_run(S* KERASISH_RESTRICT held, int64_t step, const T* KERASISH_RESTRICT values,
                     int64_t length) {
  if (step == 1)
    for (int64_t i = 0; i < length; ++i) held[i] = Op::meet(held[i], values[i]);
  else
    for (int64_t i = 0; i < length; ++i) held[i * step] = Op::meet(held[i * step], values[i]);
}

// Lets the positions whose offset is in [low, high) meet their values, in their order.
template <class Op, class T, class S>
void meet_positions(const Part& part, const int64_t* offsets, const T* values, S* target,
                    int64_t low, int64_t high) {
  const int64_t rest = part.rest.count, step = run_step(part.rest);
  for (int64_t b = 0; b < part.positions; ++b) {
    if (offsets[b] < low || offsets[b] >= high) continue;
    if (rest == 1) {
      target[offsets[b]] = Op::meet(target[offsets[b]], values[b]);
      continue;
    }
    each_run(part.rest, [&](int64_t at, int64_t place, int64_t length) {
      meet_run<Op>(target + offsets[b] + at, step, values + b * rest + place, length);
    });
  }
}

// Ways to cut the work, by sizes alone: front axes by themselves, else ranges of offsets: equal
// positions have equal offsets, so that no two pieces write to one place.
template <class Op, class T, class S>
void write_part(const Call& call, const Part& part, const T* source, const T* values,
                void* const* tensors, S* target) {
  const int64_t* offsets = all_offsets(call, part, tensors);
  const int64_t row = part.rest.count * part.item, size = part.size;
  const int64_t work = part.front.count * part.positions * row;
  constexpr int64_t piece = kPiece / static_cast<int64_t>(sizeof(S));
  int64_t pieces = (size + piece - 1) / piece;
  // Rows of the leading axis: each piece begins and writes its own. Every piece looks through
  // all positions, which must cost less than the rows do.
  bool rows = part.front.count == 1 && part.tensors == 1 && part.rest.rank <= 1 &&
              run_step(part.rest) == 1 && part.rest.count > 0 && part.p[2] == part.rest.count &&
              part.p[1] * part.p[2] == size && part.start == 0;
  if (rows && work + size * part.item >= 2 * kPiece && pieces <= 1 + row / 8) {
    int64_t length = (part.p[1] + pieces - 1) / pieces * part.p[2];
    parallel_for(call.pool, (size + length - 1) / length, [&](int64_t i) {
      int64_t low = i * length, high = low + length < size ? low + length : size;
      begin_with(part, source, target, low, high);
      meet_positions<Op>(part, offsets, values, target, low, high);
    });
    return;
  }
  parallel_for(call.pool, pieces, [&](int64_t i) {
    begin_with(part, source, target, i * piece, (i + 1) * piece < size ? (i + 1) * piece : size);
  });
  if (part.front.count > 1 && work >= 2 * kPiece) {
    int64_t length = kPiece / (part.positions * row) + 1;
    int64_t count = part.front.count;
    parallel_for(call.pool, (count + length - 1) / length, [&](int64_t i) {
      int64_t last = (i + 1) * length < count ? (i + 1) * length : count;
      for (int64_t f = i * length; f < last; ++f)
        meet_positions<Op>(part, offsets, values + f * part.positions * part.rest.count,
                           target + part.front.offset(f), kFar / 2, -kFar);
    });
    return;
  }
  for (int64_t f = 0; f < part.front.count; ++f)
    meet_positions<Op>(part, offsets, values + f * part.positions * part.rest.count,
                       target + part.front.offset(f), kFar / 2, -kFar);
}

template <class Op, bool blank = false>
void write(const Call& call) {
  using T = typename Op::Item;
  Part part(call.params);
  void* const* data = call.data - blank;  // where the array would be among the operands
  void* const* tensors = data + 2;
  const T* source = static_cast<const T*>(blank ? part.value : data[0]);
  const T* values = static_cast<const T*>(data[1]);
  T* target = static_cast<T*>(data[2 + part.tensors]);
  if constexpr (sizeof(typename Op::Sum) == sizeof(T)) {
    write_part<Op>(call, part, source, values, tensors, target);
  } else {
    // The sums lie behind the offsets.
    float* sums = reinterpret_cast<float*>(call.scratch + (part.positions * 8 + 63) / 64 * 64);
    write_part<Op>(call, part, source, values, tensors, sums);
    constexpr int64_t piece = kPiece / 4;
    parallel_for(call.pool, (part.size + piece - 1) / piece, [&](int64_t k) {
      int64_t last = (k + 1) * piece < part.size ? (k + 1) * piece : part.size;
      for (int64_t i = k * piece; i < last; ++i) narrow(sums[i], target + i);
    });
  }
}

#define KERASISH_WRITE(type) return write<type>(call)

// data: the array, the values, the index arrays, the result; params: see Part; scratch: 8 bytes a
// position, and for sums of half types 4 bytes an element after it
void index_add(const Call& call) {
  switch (call.params[0]) {
    case kInt8: case kUint8: KERASISH_WRITE(Add<uint8_t>);
    case kInt16: case kUint16: KERASISH_WRITE(Add<uint16_t>);
    case kInt32: case kUint32: KERASISH_WRITE(Add<uint32_t>);
    case kInt64: case kUint64: KERASISH_WRITE(Add<uint64_t>);
    case kFloat32: KERASISH_WRITE(Add<float>);
    case kFloat64: KERASISH_WRITE(Add<double>);
    case kFloat16: KERASISH_WRITE(AddWide<Half>);
    case kBfloat16: KERASISH_WRITE(AddWide<Brain>);
  }
}

void index_set(const Call& call) {
  switch (call.params[1]) {
    case 1: KERASISH_WRITE(Set<int8_t>);
    case 2: KERASISH_WRITE(Set<int16_t>);
    case 4: KERASISH_WRITE(Set<int32_t>);
    case 8: KERASISH_WRITE(Set<int64_t>);
    case 16: KERASISH_WRITE(Set<Wide>);
  }
}

// The same where the greater stays, NaN above all, in an
// array that holds the value of the parameters. data: the values, the index arrays, the result
#define KERASISH_GREATER(type) return write<type, true>(call)
void index_max(const Call& call) {
  switch (call.params[0]) {
    case kInt8: KERASISH_GREATER(Greater<int8_t>);
    case kInt16: KERASISH_GREATER(Greater<int16_t>);
    case kInt32: KERASISH_GREATER(Greater<int32_t>);
    case kInt64: KERASISH_GREATER(Greater<int64_t>);
    case kUint8: case kBool: KERASISH_GREATER(Greater<uint8_t>);
    case kUint16: KERASISH_GREATER(Greater<uint16_t>);
    case kUint32: KERASISH_GREATER(Greater<uint32_t>);
    case kUint64: KERASISH_GREATER(Greater<uint64_t>);
    case kFloat32: KERASISH_GREATER(Greater<float>);
    case kFloat64: KERASISH_GREATER(Greater<double>);
    case kFloat16: KERASISH_GREATER(GreaterWide<Half>);
    case kBfloat16: KERASISH_GREATER(GreaterWide<Brain>);
  }
}
#undef KERASISH_GREATER
#undef KERASISH_WRITE

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(index, {"gather", gather}, {"index_add", index_add}, {"index_set", index_set},
               {"index_max", index_max})
