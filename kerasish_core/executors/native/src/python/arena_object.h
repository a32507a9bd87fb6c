// Memory of a run, as an object that arrays can have for their base.
#pragma once

#include "../program.h"
#include "reference.h"

namespace kerasish::python {

struct ArenaObject {
  PyObject_HEAD Arenas::Arena arena;
};

// An arena of so many bytes, held by an object so that host kernels can view it; null with an error
// set.
Ref borrow_arena(size_t bytes);

inline char* arena_data(const Ref& holder) {
  return reinterpret_cast<ArenaObject*>(holder.get())->arena.data;
}

bool ready_arena_type();

}  // namespace kerasish::python
