// Tile functions of short chains of ops (codegen/chains.py). Each op is rounded by itself, as it is by
// a function of its own: products and sums stay apart.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#include "tile.h"
#include "vmath.h"

namespace kerasish {
namespace KERASISH_ISA {
#define KERASISH_TILES_CHAIN
#include "tiles.inc"
}  // namespace KERASISH_ISA
}  // namespace kerasish

KERASISH_TABLE(tiles_chain, {nullptr, nullptr})
