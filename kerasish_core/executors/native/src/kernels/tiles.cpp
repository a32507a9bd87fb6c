// The table of tile functions.
#include "tile.h"

namespace kerasish {
namespace KERASISH_ISA {
#define KERASISH_TILES_TABLE
#include "tiles.inc"

TileFunction find_tile(int64_t index) {
  constexpr int64_t count = sizeof tile_functions / sizeof *tile_functions;
  return index >= 0 && index < count ? tile_functions[index] : nullptr;
}

namespace {

// One tile function over whole operands.
// data: inputs, result; params: index, elements, number of inputs, attributes by their bits
void tile(const Call& call) {
  const int64_t* params = call.params;
  find_tile(params[0])(call.data, call.data[params[2]], params[1],
                       reinterpret_cast<const double*>(params + 3));
}

}  // namespace
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(tiles, {"tile", tile}, {KERASISH_TILES_FINGERPRINT, tile})
