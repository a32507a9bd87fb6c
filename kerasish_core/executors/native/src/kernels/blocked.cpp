// Kernels over a few images at a time, one after another: what one writes is in the cache when the
// next one reads it, and never goes to memory if nothing else does.
#include "conv_geometry.h"
#include "kernel.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int64_t kMostOperands = 8, kMostParams = 32;
constexpr int64_t kOwn = -1, kPartial = -2;  // places of operands that are none of the call's

template <class T>
void add_up(const char* partials, int64_t bytes, int64_t count, void* out) {
  T* total = static_cast<T*>(out);
  __builtin_memcpy(total, partials, static_cast<size_t>(bytes));
  for (int64_t i = 1; i < count; ++i) {
    const T* more = reinterpret_cast<const T*>(partials + i * bytes);
    for (int64_t j = 0; j < bytes / static_cast<int64_t>(sizeof(T)); ++j) total[j] += more[j];
  }
}

// data: operands of the stages. params: images, images of a block, bytes of a block's own memory,
// of its scratch and of its part of a result that is summed (0: none is), bytes of a number,
// stages, that result's place in data; for each stage its kernel's address, how many operands and
// params it has, for each operand its place in data and the bytes of an image (0: all images share
// it; in the block's own memory: where), and its params, the first of which is the number of
// images. scratch: for each block its scratch, then for each its part.
void blocked(const Call& call) {
  const int64_t* q = call.params;
  const int64_t images = q[0], each = q[1], own = q[2], scratch = q[3], part = q[4];
  const int64_t blocks = parts(images, each);
  char* const partials = call.scratch + blocks * scratch;
  parallel_for(call.pool, blocks, [&](int64_t block) {
    char* const memory = block_memory(static_cast<size_t>(own));
    const int64_t first = block * each, count = least(each, images - first);
    const int64_t* stage = q + 8;
    for (int64_t i = 0; i < q[6]; ++i) {
      const int64_t operands = stage[1], numbers = stage[2];
      void* data[kMostOperands];
      int64_t params[kMostParams];
      for (int64_t k = 0; k < operands; ++k) {
        const int64_t place = stage[3 + 2 * k], image = stage[4 + 2 * k];
        data[k] = place == kOwn       ? memory + image
                  : place == kPartial ? partials + block * part
                                      : static_cast<char*>(call.data[place]) + first * image;
      }
      const int64_t* given = stage + 3 + 2 * operands;
      for (int64_t k = 0; k < numbers; ++k) params[k] = given[k];
      params[0] = count;
      reinterpret_cast<Kernel>(stage[0])(
          Call{data, params, call.scratch + block * scratch, call.pool});
      stage = given + numbers;
    }
  });
  if (part == 0) return;
  const auto add = q[5] == 4 ? add_up<float> : add_up<double>;
  add(partials, part, blocks, call.data[q[7]]);
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(blocked, {"blocked", blocked})
