// Copies between layouts: of one array, and of many blocks into one array.
#include "blocks.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

#define KERASISH_BY_SIZE(item, call) \
  switch (item) {                    \
    case 1: call(int8_t); break;     \
    case 2: call(int16_t); break;    \
    case 4: call(int32_t); break;    \
    case 8: call(int64_t); break;    \
    case 16: call(Wide); break;      \
  }

// data: source (its first element), target; params: item size, rank, shape, strides in elements
void strided_copy(const Call& call) {
  const int64_t* p = call.params;
  Block block;
  block.rank = static_cast<int>(p[1]);
  int64_t step = 1;
  for (int axis = block.rank - 1; axis >= 0; --axis) {
    block.shape[axis] = p[2 + axis];
    block.from[axis] = p[2 + block.rank + axis];
    block.to[axis] = step;
    step *= block.shape[axis];
  }
#define KERASISH_COPY(T) \
  copy_block(call.pool, block, static_cast<const T*>(call.data[0]), static_cast<T*>(call.data[1]))
  KERASISH_BY_SIZE(p[0], KERASISH_COPY)
#undef KERASISH_COPY
}

template <class T>
void copy_all(const Call& call) {
  const int64_t* p = call.params;
  const int64_t inputs = p[1], blocks = p[2];
  const int rank = static_cast<int>(p[3]);
  const int64_t* to = p + 6;
  T* target = static_cast<T*>(call.data[inputs]);
  p += 6 + rank;
  for (int64_t i = 0; i < blocks; ++i, p += 3 + 2 * rank) {
    Block block;
    block.rank = rank;
    for (int axis = 0; axis < rank; ++axis) {
      block.shape[axis] = p[3 + axis];
      block.from[axis] = p[3 + rank + axis];
      block.to[axis] = to[axis];
    }
    const void* base = p[0] < 0 ? static_cast<const void*>(call.params + 4) : call.data[p[0]];
    copy_block(call.pool, block, static_cast<const T*>(base) + p[1], target + p[2]);
  }
}

// data: inputs, target; params: item size, inputs, blocks, rank, a value of 16 bytes, the target's
// strides; for each block its input (-1: the value), the offsets there and in the target, its
// shape, its strides in the input
void copy_blocks(const Call& call) {
#define KERASISH_COPY(T) copy_all<T>(call)
  KERASISH_BY_SIZE(call.params[0], KERASISH_COPY)
#undef KERASISH_COPY
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(move, {"strided_copy", strided_copy}, {"copy_blocks", copy_blocks})
