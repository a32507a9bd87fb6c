// Programs as Python objects: what a run is given, writes and returns.
#pragma once

#include "../program.h"
#include "reference.h"

namespace kerasish::python {

struct Output {
  PyArray_Descr* descr;
  std::vector<npy_intp> shape;
};

struct Update {
  Output output;
  int variable;  // its place among the variables
  int early;     // whether the step can fail after it was written: then not in place
};

struct Segment {
  size_t first, last;
  PyObject* host;  // called with (arena, arrays by slot) after the instructions, or null
};

struct Parts {
  Program program;
  int inputs = 0, variables = 0;
  std::vector<PyObject*> constants;
  PyObject* bodies = nullptr;  // the programs that are bodies of control flow here
  std::vector<Output> outputs;
  std::vector<Update> updates;
  std::vector<Segment> segments;
  std::vector<int64_t> bytes;  // of the inputs and of the variables that are read
  bool hosted = false;         // whether Python runs within a step
};

struct ProgramObject {
  PyObject_HEAD Parts* parts;
};

Ref new_array(const Output& output);

// Methods.
PyObject* program_run(PyObject* self, PyObject* const* args, Py_ssize_t count);
PyObject* program_run_rows(PyObject* self, PyObject* args);
PyObject* program_profile(PyObject* self, PyObject* args);

// Null with an error set.
PyTypeObject* ready_program_type();

}  // namespace kerasish::python
