// Making programs from the lists that kerasish_core/executors/native/program.py gives.
#include "program_object.h"

#include "../table.h"

namespace kerasish::python {

namespace {

void free_output(Output& output) { Py_XDECREF(output.descr); }

void program_dealloc(PyObject* self) {
  Parts* parts = reinterpret_cast<ProgramObject*>(self)->parts;
  if (parts) {
    for (PyObject* constant : parts->constants) Py_XDECREF(constant);
    for (Output& output : parts->outputs) free_output(output);
    for (Update& update : parts->updates) free_output(update.output);
    for (Segment& segment : parts->segments) Py_XDECREF(segment.host);
    Py_XDECREF(parts->bodies);
    delete parts;
  }
  Py_TYPE(self)->tp_free(self);
}

bool read_output(PyObject* object, Output& out) {  // (shape, dtype)
  PyObject *shape, *dtype;
  if (!PyArg_ParseTuple(object, "O!O", &PyTuple_Type, &shape, &dtype)) return false;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(shape); ++i)
    out.shape.push_back(PyLong_AsSsize_t(PyTuple_GET_ITEM(shape, i)));
  if (PyErr_Occurred()) return false;
  return PyArray_DescrConverter(dtype, &out.descr) == NPY_SUCCEED;
}

bool read_instructions(Program& program, PyObject* kernels, const std::vector<int64_t>& counts,
                       const std::vector<int64_t>& operands, const std::vector<int64_t>& places,
                       const std::vector<int64_t>& scratch) {
  Py_ssize_t number = PyList_Size(kernels);
  int32_t first = 0;
  for (Py_ssize_t i = 0; i < number; ++i) {
    const char* name = PyUnicode_AsUTF8(PyList_GET_ITEM(kernels, i));
    if (!name) return false;
    Kernel kernel = find_kernel(name);
    if (!kernel) {
      PyErr_Format(PyExc_KeyError, "there is no native kernel %s", name);
      return false;
    }
    auto at = static_cast<size_t>(i);
    auto count = static_cast<int32_t>(counts[at]);
    program.instructions.push_back({kernel, first, count, places[at], scratch[at]});
    first += count;
  }
  for (size_t i = 0; i + 1 < operands.size(); i += 2)
    program.operands.push_back({static_cast<int32_t>(operands[i]), operands[i + 1]});
  return true;
}

// Program(kernels, counts, operands, params, places, scratch, arena_size, inputs, variables,
//         constants, outputs, updates, segments, bytes, locations, bodies)
PyObject* program_new(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject *kernels, *counts_o, *operands_o, *params_o, *places_o, *scratch_o, *constants, *outputs,
      *updates, *segments, *bytes, *locations, *bodies;
  Py_ssize_t arena_size;
  int inputs, variables;
  if (!PyArg_ParseTuple(args, "O!OOOOOniiO!O!O!O!OO!O!", &PyList_Type, &kernels, &counts_o, &operands_o,
                        &params_o, &places_o, &scratch_o, &arena_size, &inputs, &variables,
                        &PyList_Type, &constants, &PyList_Type, &outputs, &PyList_Type, &updates,
                        &PyList_Type, &segments, &bytes, &PyList_Type, &locations, &PyList_Type,
                        &bodies))
    return nullptr;
  Ref self(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  auto* parts = new Parts();
  reinterpret_cast<ProgramObject*>(self.get())->parts = parts;
  std::vector<int64_t> counts, operands, places, scratch;
  if (!read_integers(counts_o, counts) || !read_integers(operands_o, operands) ||
      !read_integers(params_o, parts->program.params) || !read_integers(places_o, places) ||
      !read_integers(scratch_o, scratch) ||
      !read_instructions(parts->program, kernels, counts, operands, places, scratch))
    return nullptr;
  if (!read_integers(bytes, parts->bytes)) return nullptr;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(locations); ++i) {
    const char* text = PyUnicode_AsUTF8(PyList_GET_ITEM(locations, i));
    if (!text) return nullptr;
    parts->program.locations.emplace_back(text);
  }
  parts->bodies = Py_NewRef(bodies);
  parts->inputs = inputs;
  parts->variables = variables;
  parts->program.arena_size = static_cast<size_t>(arena_size);
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(constants); ++i) {
    PyObject* array = PyArray_FROM_OF(PyList_GET_ITEM(constants, i), NPY_ARRAY_CARRAY_RO);
    if (!array) return nullptr;
    parts->constants.push_back(array);
    parts->program.constants.push_back(PyArray_DATA(reinterpret_cast<PyArrayObject*>(array)));
  }
  parts->program.inputs = static_cast<size_t>(inputs + variables);
  parts->program.outputs = static_cast<size_t>(PyList_GET_SIZE(outputs));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(outputs); ++i) {
    parts->outputs.push_back({});
    if (!read_output(PyList_GET_ITEM(outputs, i), parts->outputs.back())) return nullptr;
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(updates); ++i) {
    PyObject* spec;
    int variable, early;
    if (!PyArg_ParseTuple(PyList_GET_ITEM(updates, i), "iOp", &variable, &spec, &early))
      return nullptr;
    parts->updates.push_back({{}, variable, early});
    if (!read_output(spec, parts->updates.back().output)) return nullptr;
  }
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(segments); ++i) {
    Py_ssize_t first, last;
    PyObject* host;
    if (!PyArg_ParseTuple(PyList_GET_ITEM(segments, i), "nnO", &first, &last, &host))
      return nullptr;
    if (host == Py_None) host = nullptr;
    Py_XINCREF(host);
    parts->hosted |= host != nullptr;
    parts->segments.push_back({static_cast<size_t>(first), static_cast<size_t>(last), host});
  }
  return self.release();
}

// address(): of the native program, for the parameters of control flow
PyObject* program_address(PyObject* self, PyObject*) {
  return PyLong_FromVoidPtr(&reinterpret_cast<ProgramObject*>(self)->parts->program);
}

PyMethodDef program_methods[] = {
    {"address", program_address, METH_NOARGS, nullptr},
    {"run", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(program_run)), METH_FASTCALL,
     nullptr},
    {"profile", program_profile, METH_VARARGS, nullptr},
    {"run_rows", program_run_rows, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};

PyTypeObject ProgramType = {PyVarObject_HEAD_INIT(nullptr, 0)};

}  // namespace

Ref new_array(const Output& output) {
  Py_INCREF(output.descr);
  return Ref(PyArray_NewFromDescr(&PyArray_Type, output.descr, static_cast<int>(output.shape.size()),
                                  output.shape.data(), nullptr, nullptr, 0, nullptr));
}

PyTypeObject* ready_program_type() {
  ProgramType.tp_name = "kerasish_core.executors.native._native.Program";
  ProgramType.tp_basicsize = sizeof(ProgramObject);
  ProgramType.tp_dealloc = program_dealloc;
  ProgramType.tp_flags = Py_TPFLAGS_DEFAULT;
  ProgramType.tp_methods = program_methods;
  ProgramType.tp_new = program_new;
  return PyType_Ready(&ProgramType) == 0 ? &ProgramType : nullptr;
}

}  // namespace kerasish::python
