// The functions of one scalar op over a tile, which codegen/tiles.py generates.
#pragma once

#include <cstdint>

namespace kerasish {
namespace KERASISH_ISA {

using TileFunction = void (*)(const void* const* in, void* out, int64_t count, const double* attrs);
TileFunction find_tile(int64_t index);

}  // namespace KERASISH_ISA
}  // namespace kerasish
