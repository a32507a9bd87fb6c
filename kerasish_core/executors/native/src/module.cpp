// The extension module: programs as Python objects, and kernels called one by one.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#include <numpy/arrayobject.h>

#include <chrono>
#include <cstring>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#ifndef _WIN32
#include <pthread.h>
#endif

#include "pool.h"
#include "program.h"
#include "table.h"
#include "turns.h"

using namespace kerasish;

namespace {

// Whether the interpreter goes away. A daemon thread that comes back from a program then has its
// stack unwound without the GIL: nothing of Python may be touched.
bool ending() {
#if PY_VERSION_HEX >= 0x030D0000
  return Py_IsFinalizing();
#else
  return _Py_IsFinalizing();
#endif
}

// ---- references that drop themselves
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

PyObject* name_tensor;  // "_tensor"
PyObject* name_value;   // "_value"
PyObject* tensor_type;  // kerasish_core.Tensor, once it is told
PyObject* writing;      // a list: not empty while a program writes to variables in place

// Programs that write to variables hold it alone. Whoever else needs the values of variables holds
// it together with others while taking them, not while computing with them: what was taken is
// leased, and a program writes nothing that is leased.
Turns* variables_lock;
unsigned long writer = 0;  // the thread that holds it alone; read and written with the GIL

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

// ---- memory of a run, as an object that arrays can have for their base
struct ArenaObject {
  PyObject_HEAD Arenas::Arena arena;
};

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

// ---- programs
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
  std::vector<Output> outputs;
  std::vector<Update> updates;
  std::vector<Segment> segments;
  std::vector<int64_t> bytes;  // of the inputs and of the variables that are read
  bool hosted = false;         // whether Python runs within a step
};

struct ProgramObject {
  PyObject_HEAD Parts* parts;
};

void free_output(Output& output) { Py_XDECREF(output.descr); }

void program_dealloc(PyObject* self) {
  Parts* parts = reinterpret_cast<ProgramObject*>(self)->parts;
  if (parts) {
    for (PyObject* constant : parts->constants) Py_XDECREF(constant);
    for (Output& output : parts->outputs) free_output(output);
    for (Update& update : parts->updates) free_output(update.output);
    for (Segment& segment : parts->segments) Py_XDECREF(segment.host);
    delete parts;
  }
  Py_TYPE(self)->tp_free(self);
}

bool read_integers(PyObject* object, std::vector<int64_t>& out) {
  Ref array(PyArray_FROM_OTF(object, NPY_INT64, NPY_ARRAY_IN_ARRAY));
  if (!array) return false;
  const auto* data = static_cast<const int64_t*>(PyArray_DATA(array.array()));
  out.assign(data, data + PyArray_SIZE(array.array()));
  return true;
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
//         constants, outputs, updates, segments, bytes)
PyObject* program_new(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject *kernels, *counts_o, *operands_o, *params_o, *places_o, *scratch_o, *constants, *outputs,
      *updates, *segments, *bytes;
  Py_ssize_t arena_size;
  int inputs, variables;
  if (!PyArg_ParseTuple(args, "O!OOOOOniiO!O!O!O!O", &PyList_Type, &kernels, &counts_o, &operands_o,
                        &params_o, &places_o, &scratch_o, &arena_size, &inputs, &variables,
                        &PyList_Type, &constants, &PyList_Type, &outputs, &PyList_Type, &updates,
                        &PyList_Type, &segments, &bytes))
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
  parts->inputs = inputs;
  parts->variables = variables;
  parts->program.arena_size = static_cast<size_t>(arena_size);
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(constants); ++i) {
    PyObject* array = PyArray_FROM_OF(PyList_GET_ITEM(constants, i), NPY_ARRAY_CARRAY_RO);
    if (!array) return nullptr;
    parts->constants.push_back(array);
  }
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

Ref new_array(const Output& output) {
  Py_INCREF(output.descr);
  return Ref(PyArray_NewFromDescr(&PyArray_Type, output.descr, static_cast<int>(output.shape.size()),
                                  output.shape.data(), nullptr, nullptr, 0, nullptr));
}

// The array as kernels read it: dense, aligned, in the machine's byte order.
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

// The variable's array, and whether nobody but the variable holds it.
Ref variable_array(PyObject* variable, bool& alone) {
  Ref tensor(PyObject_GetAttr(variable, name_tensor));
  if (!tensor) return Ref();
  Ref array(PyObject_GetAttr(tensor.get(), name_value));
  if (!array) return Ref();
  constexpr int flags = NPY_ARRAY_OWNDATA | NPY_ARRAY_CARRAY;
  alone = Py_REFCNT(tensor.get()) == 2 && Py_REFCNT(array.get()) == 2 &&
          PyArray_Check(array.get()) && PyArray_CHKFLAGS(array.array(), flags);
  return readable(array.get());
}

bool collect(const Parts& parts, PyObject* inputs, PyObject* variables, Run& run) {
  size_t slots = static_cast<size_t>(parts.inputs + parts.variables) + parts.constants.size() +
                 parts.outputs.size() + parts.updates.size();
  run.arrays.reserve(slots);
  run.external.reserve(slots);
  if (PyList_GET_SIZE(inputs) != parts.inputs || PyList_GET_SIZE(variables) != parts.variables) {
    PyErr_Format(PyExc_ValueError, "the program takes %d inputs and %d variables, got %zd and %zd",
                 parts.inputs, parts.variables, PyList_GET_SIZE(inputs), PyList_GET_SIZE(variables));
    return false;
  }
  for (int i = 0; i < parts.inputs; ++i)
    if (!run.add(readable(PyList_GET_ITEM(inputs, i)))) return false;
  std::vector<char> alone(static_cast<size_t>(parts.variables));
  for (int i = 0; i < parts.variables; ++i) {
    bool is_alone = false;
    if (!run.add(variable_array(PyList_GET_ITEM(variables, i), is_alone))) return false;
    alone[static_cast<size_t>(i)] = is_alone;
  }
  for (size_t i = 0; i < parts.bytes.size(); ++i)
    if (PyArray_NBYTES(run.arrays[i].array()) != parts.bytes[i]) {
      PyErr_Format(PyExc_ValueError, "operand %zu has %zd bytes, the program takes %zd", i,
                   static_cast<Py_ssize_t>(PyArray_NBYTES(run.arrays[i].array())),
                   static_cast<Py_ssize_t>(parts.bytes[i]));
      return false;
    }
  for (PyObject* constant : parts.constants) {
    Py_INCREF(constant);
    if (!run.add(Ref(constant))) return false;
  }
  for (const Output& output : parts.outputs)
    if (!run.add(new_array(output))) return false;
  for (const Update& update : parts.updates) {
    if (alone[static_cast<size_t>(update.variable)] && !update.early) {
      run.tensors.emplace_back();
      PyObject* array = run.arrays[static_cast<size_t>(parts.inputs + update.variable)].get();
      Py_INCREF(array);
      if (!run.add(Ref(array))) return false;
    } else {
      if (!run.add(new_array(update.output))) return false;
      run.tensors.emplace_back(PyObject_CallOneArg(tensor_type, run.arrays.back().get()));
      if (!run.tensors.back()) return false;
    }
  }
  return true;
}

// For chunks of steps: the second arrays of what is written early.
bool add_others(const Parts& parts, Run& run) {
  run.others.resize(parts.updates.size());
  for (size_t i = 0; i < parts.updates.size(); ++i) {
    if (!parts.updates[i].early) continue;
    Ref array = new_array(parts.updates[i].output);
    if (!array) return false;
    run.others[i] = Ref(PyObject_CallOneArg(tensor_type, array.get()));
    if (!run.others[i]) return false;
    run.arrays.push_back(std::move(array));  // behind those of all slots
    run.external.push_back(PyArray_DATA(run.arrays.back().array()));
  }
  return true;
}

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
bool hand_over(const Parts& parts, PyObject* variables, const Run& run, Py_ssize_t done = 1) {
  for (size_t i = 0; i < parts.updates.size(); ++i) {
    PyObject* variable = PyList_GET_ITEM(variables, parts.updates[i].variable);
    const Ref& tensor = parts.updates[i].early && done % 2 == 0 ? run.others[i] : run.tensors[i];
    if (tensor && PyObject_SetAttr(variable, name_tensor, tensor.get()) < 0) return false;
  }
  return true;
}

bool call_host(PyObject* host, PyObject* arena, const Run& run) {
  Ref list(PyList_New(static_cast<Py_ssize_t>(run.arrays.size())));
  if (!list) return false;
  for (size_t i = 0; i < run.arrays.size(); ++i) {
    Py_INCREF(run.arrays[i].get());
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), run.arrays[i].get());
  }
  Ref done(PyObject_CallFunctionObjArgs(host, arena, list.get(), nullptr));
  return static_cast<bool>(done);
}

// An arena for the run, held by an object so that host kernels can view it.
Ref borrow_arena(const Parts& parts) {
  Ref holder(ArenaType.tp_alloc(&ArenaType, 0));
  if (!holder) return holder;
  auto* object = reinterpret_cast<ArenaObject*>(holder.get());
  object->arena = {};
  try {
    object->arena = Arenas::borrow(parts.program.arena_size);
  } catch (const std::bad_alloc&) {
    PyErr_Format(PyExc_MemoryError, "no memory for a step's %zu bytes", parts.program.arena_size);
    return Ref();
  }
  return holder;
}

// Runs kernels without the GIL; says in Python's terms why they failed.
template <class F>
bool run_kernels(const F& work) {
  bool out_of_memory = false, out_of_range = false;
  Py_BEGIN_ALLOW_THREADS;
  try {
    work();
  } catch (const std::bad_alloc&) {
    out_of_memory = true;
  } catch (const std::out_of_range&) {
    out_of_range = true;
  }
  Py_END_ALLOW_THREADS;
  if (out_of_memory)
    PyErr_SetString(PyExc_MemoryError,
                    "no memory for a kernel; variables may hold the values of half a step");
  if (out_of_range)
    PyErr_SetString(PyExc_IndexError,
                    "an index tensor holds a position that is out of range for its axis");
  return !out_of_memory && !out_of_range;
}

// One step, with Python where the program has kernels of it.
bool execute(const Parts& parts, const Run& run, PyObject* holder) {
  char* arena = reinterpret_cast<ArenaObject*>(holder)->arena.data;
  for (const Segment& segment : parts.segments) {
    if (!run_kernels([&] {
          parts.program.run(arena, run.external.data(), segment.first, segment.last);
        }))
      return false;
    if (segment.host && !call_host(segment.host, holder, run)) return false;
  }
  return true;
}

// A program that writes to variables: alone, and marked so that readers of variables come to wait.
// The mark is set before the variables are looked at: Python code may run in between.
class Writing {
 public:
  explicit Writing(const Parts& parts) : lock_(!parts.updates.empty()) {
    if (parts.updates.empty()) return;
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

PyObject* outputs_of(const Parts& parts, Run& run) {
  size_t base = static_cast<size_t>(parts.inputs + parts.variables) + parts.constants.size();
  Ref outputs(PyList_New(static_cast<Py_ssize_t>(parts.outputs.size())));
  if (!outputs) return nullptr;
  for (size_t i = 0; i < parts.outputs.size(); ++i)
    PyList_SET_ITEM(outputs.get(), static_cast<Py_ssize_t>(i), run.arrays[base + i].release());
  return outputs.release();
}

// run(inputs, variables) -> outputs; the variables have their new values
PyObject* program_run(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  if (count != 2 || !PyList_Check(args[0]) || !PyList_Check(args[1])) {
    PyErr_SetString(PyExc_TypeError, "run(inputs, variables) takes two lists");
    return nullptr;
  }
  const Parts& parts = *reinterpret_cast<ProgramObject*>(self)->parts;
  Run run;
  if (parts.updates.empty()) {
    {
      VariablesLock lock(false);
      if (!collect(parts, args[0], args[1], run)) return nullptr;
    }
    Ref arena = borrow_arena(parts);
    if (!arena || !execute(parts, run, arena.get())) return nullptr;
  } else {
    Writing alone(parts);
    if (alone.failed() || !collect(parts, args[0], args[1], run)) return nullptr;
    Ref arena = borrow_arena(parts);
    if (!arena || !execute(parts, run, arena.get()) || !hand_over(parts, args[1], run))
      return nullptr;
  }
  return outputs_of(parts, run);
}

// profile(inputs, variables, repeats) -> the least seconds of each instruction, over all repeats
PyObject* program_profile(PyObject* self, PyObject* args) {
  PyObject *inputs, *variables;
  int repeats;
  if (!PyArg_ParseTuple(args, "O!O!i", &PyList_Type, &inputs, &PyList_Type, &variables, &repeats))
    return nullptr;
  const Parts& parts = *reinterpret_cast<ProgramObject*>(self)->parts;
  std::vector<double> best(parts.program.instructions.size(), 1e9);
  Run run;
  Writing alone(parts);
  if (alone.failed() || !collect(parts, inputs, variables, run)) return nullptr;
  Ref holder = borrow_arena(parts);
  if (!holder) return nullptr;
  char* arena = reinterpret_cast<ArenaObject*>(holder.get())->arena.data;
  for (int repeat = 0; repeat < repeats; ++repeat)
    for (const Segment& segment : parts.segments) {
      for (size_t i = segment.first; i < segment.last; ++i) {
        auto start = std::chrono::steady_clock::now();
        if (!run_kernels([&] { parts.program.run(arena, run.external.data(), i, i + 1); }))
          return nullptr;
        std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        if (taken.count() < best[i]) best[i] = taken.count();
      }
      if (segment.host && !call_host(segment.host, holder.get(), run)) return nullptr;
    }
  if (!hand_over(parts, variables, run)) return nullptr;
  Ref found(PyList_New(static_cast<Py_ssize_t>(best.size())));
  if (!found) return nullptr;
  for (size_t i = 0; i < best.size(); ++i)
    PyList_SET_ITEM(found.get(), static_cast<Py_ssize_t>(i), PyFloat_FromDouble(best[i]));
  return found.release();
}

// The rows of one batch, as one input of the program.
struct Source {
  const char* data;
  size_t row;  // bytes
};

void gather(const Source& source, const int64_t* rows, int64_t batch, char* target) {
  for (int64_t i = 0; i < batch; ++i)
    std::memcpy(target + static_cast<size_t>(i) * source.row,
                source.data + static_cast<size_t>(rows[i]) * source.row, source.row);
}

// The arrays whose rows are batches, and for each an empty array of one batch.
bool read_sources(PyObject* list, const std::vector<int64_t>& rows, Py_ssize_t batch,
                  std::vector<Ref>& held, std::vector<Source>& sources, PyObject* inputs) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) {
    held.push_back(readable(PyList_GET_ITEM(list, i)));
    if (!held.back()) return false;
    PyArrayObject* array = held.back().array();
    npy_intp shape[NPY_MAXDIMS];
    int rank = PyArray_NDIM(array);
    for (int axis = 0; axis < rank; ++axis) shape[axis] = PyArray_DIM(array, axis);
    npy_intp count = rank ? shape[0] : 0;
    for (int64_t row : rows)
      if (row < 0 || row >= count) {
        PyErr_Format(PyExc_IndexError, "row %lld of %zd", static_cast<long long>(row), count);
        return false;
      }
    sources.push_back({static_cast<const char*>(PyArray_DATA(array)),
                       count ? static_cast<size_t>(PyArray_NBYTES(array) / count) : 0});
    shape[0] = batch;
    Py_INCREF(PyArray_DESCR(array));
    Ref part(PyArray_NewFromDescr(&PyArray_Type, PyArray_DESCR(array), rank, shape, nullptr,
                                  nullptr, 0, nullptr));
    if (!part || PyList_Append(inputs, part.get()) < 0) return false;
  }
  return true;
}

// One step after another until the rows or the time are used up: `done` of them. False with an
// error set if the next one failed. Without the GIL, unless Python runs within a step.
bool execute_rows(const Parts& parts, Run& run, PyObject* holder,
                  const std::vector<Source>& sources, const std::vector<int64_t>& rows,
                  Py_ssize_t batch, double seconds, Py_ssize_t& done) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  const auto steps = batch > 0 ? static_cast<Py_ssize_t>(rows.size()) / batch : 0;
  char* arena = reinterpret_cast<ArenaObject*>(holder)->arena.data;
  const auto fill = [&] {
    for (size_t i = 0; i < sources.size(); ++i)
      gather(sources[i], rows.data() + done * batch, batch, static_cast<char*>(run.external[i]));
  };
  if (!parts.hosted)
    return run_kernels([&] {
      while (done < steps) {
        fill();
        for (const Segment& segment : parts.segments)
          parts.program.run(arena, run.external.data(), segment.first, segment.last);
        take_turns(parts, run.external, ++done);
        if (Clock::now() >= end) break;
      }
    });
  while (done < steps) {
    fill();
    if (!execute(parts, run, holder)) return false;
    take_turns(parts, run.external, ++done);
    take_turns(parts, run.arrays, done);
    if (Clock::now() >= end) break;
  }
  return true;
}

// run_rows(sources, rows, batch, variables, seconds) -> (steps, outputs of the last)
// One step for each `batch` of the row numbers in `rows`, until the time is up.
PyObject* program_run_rows(PyObject* self, PyObject* args) {
  PyObject *sources_o, *rows_o, *variables;
  Py_ssize_t batch;
  double seconds;
  if (!PyArg_ParseTuple(args, "O!OnO!d", &PyList_Type, &sources_o, &rows_o, &batch, &PyList_Type,
                        &variables, &seconds))
    return nullptr;
  const Parts& parts = *reinterpret_cast<ProgramObject*>(self)->parts;
  std::vector<int64_t> rows;
  Ref inputs(PyList_New(0));
  std::vector<Ref> held;
  std::vector<Source> sources;
  if (!inputs || !read_integers(rows_o, rows) ||
      !read_sources(sources_o, rows, batch, held, sources, inputs.get()))
    return nullptr;
  Py_ssize_t done = 0;
  Run run;
  {
    Writing alone(parts);
    if (alone.failed() || !collect(parts, inputs.get(), variables, run) || !add_others(parts, run))
      return nullptr;
    Ref arena = borrow_arena(parts);
    if (!arena) return nullptr;
    if (!execute_rows(parts, run, arena.get(), sources, rows, batch, seconds, done)) {
      PyObject *type, *value, *trace;  // the steps before the one that failed stay
      PyErr_Fetch(&type, &value, &trace);
      if (done > 0) hand_over(parts, variables, run, done);
      PyErr_Restore(type, value, trace);
      return nullptr;
    }
    if (done > 0 && !hand_over(parts, variables, run, done)) return nullptr;
  }
  PyObject* outputs = outputs_of(parts, run);
  return outputs ? Py_BuildValue("(nN)", done, outputs) : nullptr;
}

PyMethodDef program_methods[] = {
    {"run", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(program_run)), METH_FASTCALL,
     nullptr},
    {"profile", program_profile, METH_VARARGS, nullptr},
    {"run_rows", program_run_rows, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};

PyTypeObject ProgramType = {PyVarObject_HEAD_INIT(nullptr, 0)};

// ---- functions
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

PyObject* has(PyObject*, PyObject* name) {
  const char* text = PyUnicode_AsUTF8(name);
  if (!text) return nullptr;
  return PyBool_FromLong(find_kernel(text) != nullptr);
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
bool held_for_fork = false;

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

PyObject* release_memory(PyObject*, PyObject*) {
  Arenas::release();
  Py_RETURN_NONE;
}

PyObject* held_memory(PyObject*, PyObject*) { return PyLong_FromSize_t(Arenas::held()); }

PyMethodDef functions[] = {
    {"call", call, METH_VARARGS, nullptr},
    {"has", has, METH_O, nullptr},
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

// In the child of a fork.
void fresh_lock() {
  new (variables_lock) Turns();
  held_for_fork = false;
  writer = 0;
}

}  // namespace

PyMODINIT_FUNC PyInit__native() {
  import_array();
  name_tensor = PyUnicode_InternFromString("_tensor");
  name_value = PyUnicode_InternFromString("_value");
  writing = PyList_New(0);
  variables_lock = new Turns();
#ifndef _WIN32
  pthread_atfork(nullptr, nullptr, fresh_lock);
#endif
  ArenaType.tp_name = "kerasish_core.executors.native._native.Arena";
  ArenaType.tp_basicsize = sizeof(ArenaObject);
  ArenaType.tp_dealloc = arena_dealloc;
  ArenaType.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION;
  ArenaType.tp_methods = arena_methods;
  ProgramType.tp_name = "kerasish_core.executors.native._native.Program";
  ProgramType.tp_basicsize = sizeof(ProgramObject);
  ProgramType.tp_dealloc = program_dealloc;
  ProgramType.tp_flags = Py_TPFLAGS_DEFAULT;
  ProgramType.tp_methods = program_methods;
  ProgramType.tp_new = program_new;
  if (PyType_Ready(&ArenaType) < 0 || PyType_Ready(&ProgramType) < 0) return nullptr;
  PyObject* module = PyModule_Create(&definition);
  if (!module) return nullptr;
  if (PyModule_AddObjectRef(module, "Program", reinterpret_cast<PyObject*>(&ProgramType)) < 0 ||
      PyModule_AddObjectRef(module, "writing", writing) < 0) {
    Py_DECREF(module);
    return nullptr;
  }
  return module;
}
