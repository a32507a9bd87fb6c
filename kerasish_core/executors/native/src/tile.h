// Tile functions: one scalar operation over n contiguous elements, generated from the ops' scalar
// expressions (kerasish_core/codegen/tiles.py, which also numbers them).
#pragma once

#include "kernel.h"

namespace kerasish {
namespace KERASISH_ISA {

// `out` may be an operand's address if their items have the same size; `attrs` are the attributes
// of the expression, by name.
using TileFunction = void (*)(const void* const* in, void* out, int64_t n, const double* attrs);

// By `kerasish_core.codegen.tiles.INDEX`; null if there is no such function.
TileFunction find_tile(int64_t index);

}  // namespace KERASISH_ISA
}  // namespace kerasish
