// Tile functions of integers, booleans and copies.
#include "tile.h"
#include "vmath.h"

namespace kerasish {
namespace KERASISH_ISA {
#define KERASISH_TILES_INTEGER
#include "tiles.inc"
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(tiles_integer, {nullptr, nullptr})
