// The values of variables, and who may read or write them.
#pragma once

#include <atomic>

#include "../turns.h"
#include "reference.h"

namespace kerasish::python {

extern PyObject* name_tensor;  // "_tensor"
extern PyObject* name_value;   // "_value"
extern PyObject* tensor_type;  // kerasish_core.Tensor, once it is told
extern PyObject* writing;      // a list: not empty while a program writes to variables in place

// Programs that write to variables hold it alone. Whoever else needs the values of variables holds
// it together with others while taking them, not while computing with them: what was taken is
// leased, and a program writes nothing that is leased.
extern Turns* variables_lock;
// The thread that holds it alone. Written with the GIL, but for a thread that comes back while the
// interpreter ends.
extern std::atomic<unsigned long> writer;

class VariablesLock {
 public:
  // Takes the lock, letting other Python threads run while it waits. A thread that holds it alone
  // already (a signal handler may run between two kernels of Python) passes: variables then have
  // the values from before its step.
  explicit VariablesLock(bool exclusive) : exclusive_(exclusive) {
    if (writer != 0 && writer == PyThread_get_thread_ident()) return;
    held_ = true;
    if (!(exclusive_ ? variables_lock->try_lock() : variables_lock->try_lock_shared())) {
      Py_BEGIN_ALLOW_THREADS;
      if (exclusive_)
        variables_lock->lock();
      else
        variables_lock->lock_shared();
      Py_END_ALLOW_THREADS;
    }
    if (exclusive_) writer = PyThread_get_thread_ident();
  }
  VariablesLock(const VariablesLock&) = delete;
  VariablesLock& operator=(const VariablesLock&) = delete;
  ~VariablesLock() {
    if (!held_) return;
    if (exclusive_) {
      writer = 0;
      variables_lock->unlock();
    } else {
      variables_lock->unlock_shared();
    }
  }
  bool held() const { return held_; }

 private:
  bool exclusive_, held_ = false;
};

// A program that writes to variables: alone, and marked so that readers of variables come to wait.
// The mark is set before the variables are looked at: Python code may run in between.
class Writing {
 public:
  // `writes`: whether the program writes variables at all.
  explicit Writing(bool writes) : lock_(writes) {
    if (!writes) return;
    if (!lock_.held())
      PyErr_SetString(PyExc_RuntimeError,
                      "a step that writes variables was started within another one (by a signal "
                      "handler?); let that one end first");
    else
      marked_ = PyList_Append(writing, Py_None) == 0;
    failed_ = !marked_;
  }
  ~Writing() {
    if (marked_ && !ending()) PyList_SetSlice(writing, 0, PyList_GET_SIZE(writing), nullptr);
  }
  bool failed() const { return failed_; }

 private:
  VariablesLock lock_;
  bool marked_ = false, failed_ = false;
};

// Makes the names and the lock. False with an error set.
bool make_variables();

// Functions of the module.
PyObject* read(PyObject*, PyObject* variable);
PyObject* assign(PyObject*, PyObject* args);
PyObject* before_fork(PyObject*, PyObject*);
PyObject* after_fork(PyObject*, PyObject*);
PyObject* set_tensor_type(PyObject*, PyObject* type);

}  // namespace kerasish::python
