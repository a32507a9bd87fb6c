// Tile functions that convert, and those of the half types.
#include "convert.h"
#include "tile.h"

namespace kerasish {
namespace KERASISH_ISA {
namespace {

constexpr int64_t kChunk = 256;

struct float16 {
  static void widen(const uint16_t* source, float* target, int64_t n) {
    KERASISH_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) target[i] = from_float16(source[i]);
  }
  static void narrow(const float* source, uint16_t* target, int64_t n) {
    KERASISH_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) target[i] = to_float16(source[i]);
  }
};

struct bfloat16 {
  static void widen(const uint16_t* source, float* target, int64_t n) {
    KERASISH_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) target[i] = from_bfloat16(source[i]);
  }
  static void narrow(const float* source, uint16_t* target, int64_t n) {
    KERASISH_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) target[i] = to_bfloat16(source[i]);
  }
};

// Runs the function of float32 on widened operands; the first may be a condition, the result truth.
template <class Half, int inputs, bool condition, bool truth>
void through_half(TileFunction wide, const void* const* in, void* out, int64_t n,
                  const double* attrs) {
  alignas(64) float operand[inputs][kChunk], result[kChunk];
  for (int64_t done = 0; done < n; done += kChunk) {
    const int64_t count = n - done < kChunk ? n - done : kChunk;
    const void* operands[inputs];
    for (int k = 0; k < inputs; ++k) {
      operands[k] = operand[k];
      if (k == 0 && condition)
        operands[k] = static_cast<const uint8_t*>(in[k]) + done;
      else
        Half::widen(static_cast<const uint16_t*>(in[k]) + done, operand[k], count);
    }
    if (truth) {
      wide(operands, static_cast<uint8_t*>(out) + done, count, attrs);
    } else {
      wide(operands, result, count, attrs);
      Half::narrow(result, static_cast<uint16_t*>(out) + done, count);
    }
  }
}

}  // namespace
#define KERASISH_TILES_CAST
#include "tiles.inc"
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(tiles_cast, {nullptr, nullptr})
