// Tile functions of short chains of ops (codegen/chains.py). Each op is rounded by itself, as it is by
// a function of its own: products and sums stay apart, since setup.py forbids contraction here.

#include "tile.h"
#include "vmath.h"

namespace kerasish {
namespace KERASISH_ISA {
#define KERASISH_TILES_CHAIN
#include "tiles.inc"
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(tiles_chain, {nullptr, nullptr})
