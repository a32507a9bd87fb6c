// Python and NumPy, references that drop themselves, and what reads arguments.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
// One table of NumPy's functions for all files; module.cpp fills it.
#define PY_ARRAY_UNIQUE_SYMBOL kerasish_numpy
#ifndef KERASISH_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#include <numpy/arrayobject.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace kerasish::python {

// Whether the interpreter goes away. A daemon thread that comes back from a program then has its
// stack unwound without the GIL: nothing of Python may be touched.
inline bool ending() {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing();
#else
  return _Py_IsFinalizing();
#endif
}

// A reference that drops itself.
class Ref {
 public:
  Ref() = default;
  explicit Ref(PyObject* object) : object_(object) {}
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;
  Ref(Ref&& other) noexcept : object_(other.object_) { other.object_ = nullptr; }
  Ref& operator=(Ref&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ && !ending()) Py_DECREF(object_);
  }
  PyObject* get() const { return object_; }
  PyArrayObject* array() const { return reinterpret_cast<PyArrayObject*>(object_); }
  PyObject* release() {
    PyObject* object = object_;
    object_ = nullptr;
    return object;
  }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  PyObject* object_ = nullptr;
};

// Appends nothing and returns false with an error set if it is no sequence of integers.
bool read_integers(PyObject* object, std::vector<int64_t>& out);

// The array as kernels read it: dense, aligned, in the machine's byte order.
Ref readable(PyObject* object);

}  // namespace kerasish::python
