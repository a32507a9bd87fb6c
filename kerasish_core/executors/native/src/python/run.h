// One run of a program: the arrays of its slots, and its steps.
#pragma once

#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "program_object.h"
#include "reference.h"

namespace kerasish::python {

// One run: the arrays of all slots, kept until it ends.
struct Run {
  std::vector<Ref> arrays;
  std::vector<void*> external;
  // Update by update what its variable will hold, none if it is written in place; and for the
  // steps of a chunk that write early a second one, so that the last whole step is never lost.
  std::vector<Ref> tensors, others;

  bool add(Ref array) {
    if (!array) return false;
    external.push_back(PyArray_DATA(array.array()));
    arrays.push_back(std::move(array));
    return true;
  }
};

// Finds or makes the arrays of all slots; false with an error set.
bool collect(const Parts& parts, PyObject* inputs, PyObject* variables, Run& run);

// After the step number `done` of a chunk: the variables are where it has written them, and what
// is written early goes to the other array.
template <class Slot>
void take_turns(const Parts& parts, std::vector<Slot>& slots, Py_ssize_t done) {
  const auto variables = static_cast<size_t>(parts.inputs);
  const size_t updates = variables + static_cast<size_t>(parts.variables) +
                         parts.constants.size() + parts.outputs.size();
  size_t other = updates + parts.updates.size();
  for (size_t i = 0; i < parts.updates.size(); ++i) {
    Slot& variable = slots[variables + static_cast<size_t>(parts.updates[i].variable)];
    if (parts.updates[i].early) {
      // (old, first, second) -> (first, second, old) once, then the two change places.
      std::swap(variable, slots[updates + i]);
      if (done == 1) std::swap(slots[updates + i], slots[other]);
      ++other;
    } else if (done == 1) {
      if constexpr (std::is_pointer_v<Slot>)
        variable = slots[updates + i];
      else
        variable = Ref(Py_NewRef(slots[updates + i].get()));
    }
  }
}

// Gives the variables what the run has written elsewhere. No Python code runs in between, so that
// an interrupt finds either all old or all new values.
bool hand_over(const Parts& parts, PyObject* variables, const Run& run, Py_ssize_t done = 1);

// Calls what Python does within a step.
bool call_host(PyObject* host, PyObject* arena, const Run& run);

// One step, with Python where the program has kernels of it. `holder` is the arena's object.
bool execute(const Parts& parts, const Run& run, const Ref& holder);

// The list of results; the run gives them away.
PyObject* outputs_of(const Parts& parts, Run& run);

// Sets an IndexError with a note of where it comes from.
void fail_index_at(const std::string& where);

// Runs kernels without the GIL; says in Python's terms why they failed.
template <class F>
bool run_kernels(const F& work) {
  bool out_of_memory = false, out_of_range = false, interrupted = false;
  std::string where;
  Py_BEGIN_ALLOW_THREADS;
  try {
    work();
  } catch (const std::bad_alloc&) {
    out_of_memory = true;
  } catch (const IndexFailure& failure) {
    out_of_range = true;
    where = failure.where;
  } catch (const Interrupted&) {
    interrupted = true;  // the error is set
  }
  Py_END_ALLOW_THREADS;
  if (out_of_memory)
    PyErr_SetString(PyExc_MemoryError,
                    "no memory for a kernel; variables may hold the values of half a step");
  if (out_of_range) fail_index_at(where);
  return !out_of_memory && !out_of_range && !interrupted;
}

}  // namespace kerasish::python
