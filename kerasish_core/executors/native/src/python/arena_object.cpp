#include "arena_object.h"

#include <new>

namespace kerasish::python {

namespace {

void arena_dealloc(PyObject* self) {
  auto* object = reinterpret_cast<ArenaObject*>(self);
  if (object->arena.data) Arenas::give_back(object->arena);
  Py_TYPE(self)->tp_free(self);
}

// view(offset, shape, dtype) -> array over the arena's memory
PyObject* arena_view(PyObject* self, PyObject* args) {
  Py_ssize_t offset;
  PyObject *shape, *dtype;
  if (!PyArg_ParseTuple(args, "nO!O", &offset, &PyTuple_Type, &shape, &dtype)) return nullptr;
  PyArray_Descr* descr;
  if (!PyArray_DescrConverter(dtype, &descr)) return nullptr;
  npy_intp sizes[NPY_MAXDIMS];
  Py_ssize_t rank = PyTuple_GET_SIZE(shape);
  for (Py_ssize_t i = 0; i < rank; ++i) sizes[i] = PyLong_AsSsize_t(PyTuple_GET_ITEM(shape, i));
  if (PyErr_Occurred()) return nullptr;
  auto* object = reinterpret_cast<ArenaObject*>(self);
  PyObject* made =
      PyArray_NewFromDescr(&PyArray_Type, descr, static_cast<int>(rank), sizes, nullptr,
                           object->arena.data + offset, NPY_ARRAY_CARRAY, nullptr);
  if (!made) return nullptr;
  Py_INCREF(self);
  if (PyArray_SetBaseObject(reinterpret_cast<PyArrayObject*>(made), self) < 0) {
    Py_DECREF(made);
    return nullptr;
  }
  return made;
}

PyMethodDef arena_methods[] = {{"view", arena_view, METH_VARARGS, nullptr},
                               {nullptr, nullptr, 0, nullptr}};

PyTypeObject ArenaType = {PyVarObject_HEAD_INIT(nullptr, 0)};

}  // namespace

Ref borrow_arena(size_t bytes) {
  Ref holder(ArenaType.tp_alloc(&ArenaType, 0));
  if (!holder) return holder;
  auto* object = reinterpret_cast<ArenaObject*>(holder.get());
  object->arena = {};
  try {
    object->arena = Arenas::borrow(bytes);
  } catch (const std::bad_alloc&) {
    PyErr_Format(PyExc_MemoryError, "no memory for a step's %zu bytes", bytes);
    return Ref();
  }
  return holder;
}

bool ready_arena_type() {
  ArenaType.tp_name = "kerasish_core.executors.native._native.Arena";
  ArenaType.tp_basicsize = sizeof(ArenaObject);
  ArenaType.tp_dealloc = arena_dealloc;
  ArenaType.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION;
  ArenaType.tp_methods = arena_methods;
  return PyType_Ready(&ArenaType) == 0;
}

}  // namespace kerasish::python
