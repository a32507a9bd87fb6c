// Tile functions of float32.
#include "tile.h"
#include "vmath.h"

namespace kerasish {
namespace KERASISH_ISA {
#define KERASISH_TILES_FLOAT32
#include "tiles.inc"
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(tiles_float32, {nullptr, nullptr})
