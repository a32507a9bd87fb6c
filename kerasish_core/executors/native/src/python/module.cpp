// The extension module: programs, and kernels called one by one.
#define KERASISH_IMPORTS_NUMPY
#include "../pool.h"
#include "../table.h"
#include "arena_object.h"
#include "program_object.h"
#include "reference.h"
#include "run.h"
#include "variables.h"

using namespace kerasish;
using namespace kerasish::python;

namespace {

// call(kernel, arrays, params, scratch): run one kernel on arrays, inputs first, then outputs
PyObject* call(PyObject*, PyObject* args) {
  const char* name;
  PyObject *arrays, *params_o;
  Py_ssize_t scratch_size = 0;
  if (!PyArg_ParseTuple(args, "sOO|n", &name, &arrays, &params_o, &scratch_size)) return nullptr;
  Kernel kernel = find_kernel(name);
  if (!kernel) return PyErr_Format(PyExc_KeyError, "there is no native kernel %s", name);
  std::vector<int64_t> params;
  if (!read_integers(params_o, params)) return nullptr;
  Ref sequence(PySequence_Fast(arrays, "arrays: expected a sequence"));
  if (!sequence) return nullptr;
  std::vector<void*> data;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence.get()); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(sequence.get(), i);
    if (!PyArray_Check(item) || !PyArray_ISALIGNED(reinterpret_cast<PyArrayObject*>(item)))
      return PyErr_Format(PyExc_TypeError, "call %s: operand %zd is no aligned array", name, i);
    data.push_back(PyArray_DATA(reinterpret_cast<PyArrayObject*>(item)));
  }
  Arenas::Arena scratch;
  bool done = run_kernels([&] {
    if (scratch_size > 0) scratch = Arenas::borrow(static_cast<size_t>(scratch_size));
    kernel(Call{data.data(), params.data(), scratch.data, &Pool::instance()});
  });
  if (scratch.data) Arenas::give_back(scratch);
  if (!done) return nullptr;
  Py_RETURN_NONE;
}

// Signals of Python, Ctrl-C above all, within a kernel that may run for long.
void check_signals() {
  PyGILState_STATE state = PyGILState_Ensure();
  const bool stop = PyErr_CheckSignals() != 0;
  PyGILState_Release(state);
  if (stop) throw Interrupted();
}

PyObject* has(PyObject*, PyObject* name) {
  const char* text = PyUnicode_AsUTF8(name);
  if (!text) return nullptr;
  return PyBool_FromLong(find_kernel(text) != nullptr);
}

PyObject* address(PyObject*, PyObject* name) {
  const char* text = PyUnicode_AsUTF8(name);
  if (!text) return nullptr;
  Kernel kernel = find_kernel(text);
  if (!kernel) return PyErr_Format(PyExc_KeyError, "there is no native kernel %s", text);
  return PyLong_FromVoidPtr(reinterpret_cast<void*>(kernel));
}

PyObject* get_instruction_set(PyObject*, PyObject*) {
  return PyUnicode_FromString(instruction_set());
}

PyObject* set_instruction_set(PyObject*, PyObject* name) {
  const char* text = PyUnicode_AsUTF8(name);
  if (!text) return nullptr;
  if (!choose_instruction_set(text))
    return PyErr_Format(PyExc_ValueError, "this machine or build has no %s kernels", text);
  Py_RETURN_NONE;
}

PyObject* set_threads(PyObject*, PyObject* number) {
  long width = PyLong_AsLong(number);
  if (width == -1 && PyErr_Occurred()) return nullptr;
  Py_BEGIN_ALLOW_THREADS;
  Pool::instance().set_width(static_cast<int>(width));
  Py_END_ALLOW_THREADS;
  Py_RETURN_NONE;
}

PyObject* get_threads(PyObject*, PyObject*) { return PyLong_FromLong(Pool::instance().width()); }

PyObject* release_memory(PyObject*, PyObject*) {
  Arenas::release();
  Py_RETURN_NONE;
}

PyObject* held_memory(PyObject*, PyObject*) { return PyLong_FromSize_t(Arenas::held()); }

PyMethodDef functions[] = {
    {"call", call, METH_VARARGS, nullptr},
    {"has", has, METH_O, nullptr},
    {"address", address, METH_O, nullptr},
    {"instruction_set", get_instruction_set, METH_NOARGS, nullptr},
    {"set_instruction_set", set_instruction_set, METH_O, nullptr},
    {"threads", get_threads, METH_NOARGS, nullptr},
    {"set_threads", set_threads, METH_O, nullptr},
    {"set_tensor_type", set_tensor_type, METH_O, nullptr},
    {"read", read, METH_O, nullptr},
    {"assign", assign, METH_VARARGS, nullptr},
    {"before_fork", before_fork, METH_NOARGS, nullptr},
    {"after_fork", after_fork, METH_NOARGS, nullptr},
    {"release_memory", release_memory, METH_NOARGS, nullptr},
    {"held_memory", held_memory, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {PyModuleDef_HEAD_INIT, "_native", nullptr, -1, functions};

}  // namespace

PyMODINIT_FUNC PyInit__native() {
  import_array();
  check_interrupts = check_signals;
  if (!make_variables() || !ready_arena_type()) return nullptr;
  PyTypeObject* program = ready_program_type();
  PyObject* module = program ? PyModule_Create(&definition) : nullptr;
  if (!module) return nullptr;
  if (PyModule_AddObjectRef(module, "Program", reinterpret_cast<PyObject*>(program)) < 0 ||
      PyModule_AddObjectRef(module, "writing", writing) < 0) {
    Py_DECREF(module);
    return nullptr;
  }
  return module;
}
