#include "reference.h"

namespace kerasish::python {

bool read_integers(PyObject* object, std::vector<int64_t>& out) {
  Ref array(PyArray_FROM_OTF(object, NPY_INT64, NPY_ARRAY_IN_ARRAY));
  if (!array) return false;
  const auto* data = static_cast<const int64_t*>(PyArray_DATA(array.array()));
  out.assign(data, data + PyArray_SIZE(array.array()));
  return true;
}

Ref readable(PyObject* object) {
  if (!PyArray_Check(object)) {
    PyErr_Format(PyExc_TypeError, "a program's input must be an array, not %s",
                 Py_TYPE(object)->tp_name);
    return Ref();
  }
  auto* array = reinterpret_cast<PyArrayObject*>(object);
  if (PyArray_ISCARRAY_RO(array)) {
    Py_INCREF(object);
    return Ref(object);
  }
  return Ref(PyArray_FROM_OF(object, NPY_ARRAY_CARRAY_RO | NPY_ARRAY_NOTSWAPPED));
}

}  // namespace kerasish::python
