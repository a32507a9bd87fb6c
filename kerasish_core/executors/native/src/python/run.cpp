#include "run.h"

#include <chrono>

#include "arena_object.h"
#include "variables.h"

namespace kerasish::python {

namespace {

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

}  // namespace

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

bool hand_over(const Parts& parts, PyObject* variables, const Run& run, Py_ssize_t done) {
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

bool execute(const Parts& parts, const Run& run, const Ref& holder) {
  char* arena = arena_data(holder);
  for (const Segment& segment : parts.segments) {
    if (!run_kernels([&] {
          parts.program.run(arena, run.external.data(), segment.first, segment.last);
        }))
      return false;
    if (segment.host && !call_host(segment.host, holder.get(), run)) return false;
  }
  return true;
}

void fail_index_at(const std::string& where) {
  PyErr_SetString(PyExc_IndexError,
                  "an index tensor holds a position that is out of range for its axis");
  if (where.empty()) return;
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  Ref added(PyObject_CallMethod(value, "add_note", "s", where.c_str()));
  PyErr_Restore(type, value, trace);
}

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
    Ref arena = borrow_arena(parts.program.arena_size);
    if (!arena || !execute(parts, run, arena)) return nullptr;
  } else {
    Writing alone(true);
    if (alone.failed() || !collect(parts, args[0], args[1], run)) return nullptr;
    Ref arena = borrow_arena(parts.program.arena_size);
    if (!arena || !execute(parts, run, arena) || !hand_over(parts, args[1], run)) return nullptr;
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
  Writing alone(!parts.updates.empty());
  if (alone.failed() || !collect(parts, inputs, variables, run)) return nullptr;
  Ref holder = borrow_arena(parts.program.arena_size);
  if (!holder) return nullptr;
  char* arena = arena_data(holder);
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

}  // namespace kerasish::python
