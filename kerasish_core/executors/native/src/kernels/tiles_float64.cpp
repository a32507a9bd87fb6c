// Tile functions of float64.
#include "tile.h"
#include "vmath.h"

namespace kerasish {
namespace KERASISH_ISA {
#define KERASISH_TILES_FLOAT64
#include "tiles.inc"
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(tiles_float64, {nullptr, nullptr})
