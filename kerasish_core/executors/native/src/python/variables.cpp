#include "variables.h"

#include <new>

#ifndef _WIN32
#include <pthread.h>
#endif

namespace kerasish::python {

PyObject* name_tensor;
PyObject* name_value;
PyObject* tensor_type;
PyObject* writing;
Turns* variables_lock;
std::atomic<unsigned long> writer{0};

namespace {

bool held_for_fork = false;

// In the child of a fork.
void fresh_lock() {
  new (variables_lock) Turns();
  held_for_fork = false;
  writer = 0;
}

}  // namespace

// read(variable) -> its tensor, taken while no program writes to it
PyObject* read(PyObject*, PyObject* variable) {
  VariablesLock lock(false);
  return PyObject_GetAttr(variable, name_tensor);
}

// assign(variable, tensor): give it that tensor, before or after the step of a program
PyObject* assign(PyObject*, PyObject* args) {
  PyObject *variable, *tensor;
  if (!PyArg_ParseTuple(args, "OO", &variable, &tensor)) return nullptr;
  VariablesLock lock(true);
  if (PyObject_SetAttr(variable, name_tensor, tensor) < 0) return nullptr;
  Py_RETURN_NONE;
}

// before_fork(), after_fork(): hold the lock over a fork, so that the child finds whole steps
PyObject* before_fork(PyObject*, PyObject*) {
  if (writer != 0 && writer == PyThread_get_thread_ident()) Py_RETURN_NONE;
  Py_BEGIN_ALLOW_THREADS;
  variables_lock->lock();
  Py_END_ALLOW_THREADS;
  writer = PyThread_get_thread_ident();
  held_for_fork = true;
  Py_RETURN_NONE;
}

PyObject* after_fork(PyObject*, PyObject*) {
  if (held_for_fork) {
    held_for_fork = false;
    writer = 0;
    variables_lock->unlock();
  }
  Py_RETURN_NONE;
}

PyObject* set_tensor_type(PyObject*, PyObject* type) {
  Py_XSETREF(tensor_type, Py_NewRef(type));
  Py_RETURN_NONE;
}

bool make_variables() {
  name_tensor = PyUnicode_InternFromString("_tensor");
  name_value = PyUnicode_InternFromString("_value");
  writing = PyList_New(0);
  variables_lock = new Turns();
#ifndef _WIN32
  pthread_atfork(nullptr, nullptr, fresh_lock);
#endif
  return name_tensor && name_value && writing;
}

}  // namespace kerasish::python
