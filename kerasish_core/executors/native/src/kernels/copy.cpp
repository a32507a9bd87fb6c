// Copies between layouts.
#include "kernel.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int kMostAxes = 32;

template <class T>
void gather(const T* source, T* target, int64_t rank, const int64_t* shape, const int64_t* strides) {
  int64_t count = 1;
  for (int64_t axis = 0; axis < rank; ++axis) count *= shape[axis];
  if (count == 0) return;
  int64_t inner = rank ? shape[rank - 1] : 1, step = rank ? strides[rank - 1] : 0;
  int64_t index[kMostAxes] = {};
  for (int64_t done = 0; done < count; done += inner) {
    if (step == 1)
      __builtin_memcpy(target, source, static_cast<size_t>(inner) * sizeof(T));
    else
      for (int64_t i = 0; i < inner; ++i) target[i] = source[i * step];
    target += inner;
    for (int64_t axis = rank - 2; axis >= 0; --axis) {
      source += strides[axis];
      if (++index[axis] < shape[axis]) break;
      source -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

struct Wide {
  int64_t low, high;
};

// data: source (its first element), target; params: item size, rank, shape, strides in elements
void strided_copy(const Call& call) {
  const int64_t *p = call.params, rank = p[1];
  const int64_t *shape = p + 2, *strides = p + 2 + rank;
  const void* source = call.data[0];
  void* target = call.data[1];
#define KERASISH_SIZE(type) \
  return gather(static_cast<const type*>(source), static_cast<type*>(target), rank, shape, strides)
  switch (p[0]) {
    case 1: KERASISH_SIZE(int8_t);
    case 2: KERASISH_SIZE(int16_t);
    case 4: KERASISH_SIZE(int32_t);
    case 8: KERASISH_SIZE(int64_t);
    case 16: KERASISH_SIZE(Wide);
  }
#undef KERASISH_SIZE
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(copy, {"strided_copy", strided_copy})
