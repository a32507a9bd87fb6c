// Chunks of steps: one call that takes its batches from rows of arrays.
#include <chrono>
#include <cstring>

#include "arena_object.h"
#include "run.h"
#include "variables.h"

namespace kerasish::python {

namespace {

// The second arrays of what is written early.
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

// A result of each step that ends the chunk when it is NaN or infinite, if there is one.
struct Watched {
  const void* data = nullptr;
  bool wide = false;  // float64, not float32

  bool ends() const {
    if (!data) return false;
    if (wide) {
      uint64_t bits;
      std::memcpy(&bits, data, sizeof bits);
      return (bits >> 52 & 0x7ff) == 0x7ff;
    }
    uint32_t bits;
    std::memcpy(&bits, data, sizeof bits);
    return (bits >> 23 & 0xff) == 0xff;
  }
};

// The output of number `index`, -1 for none; false with an error set.
bool watch(const Parts& parts, const Run& run, Py_ssize_t index, Watched& watched) {
  if (index < 0) return true;
  size_t base = static_cast<size_t>(parts.inputs + parts.variables) + parts.constants.size();
  if (static_cast<size_t>(index) >= parts.outputs.size()) {
    PyErr_Format(PyExc_IndexError, "output %zd of %zu", index, parts.outputs.size());
    return false;
  }
  PyArrayObject* array = run.arrays[base + static_cast<size_t>(index)].array();
  int type = PyArray_TYPE(array);
  if (PyArray_SIZE(array) != 1 || (type != NPY_FLOAT && type != NPY_DOUBLE)) {
    PyErr_SetString(PyExc_TypeError, "what is watched must be a scalar of float32 or float64");
    return false;
  }
  watched = {PyArray_DATA(array), type == NPY_DOUBLE};
  return true;
}

// One step after another until the rows or the time are used up, or what is watched is no number:
// `done` of them. False with an error set if the next one failed. Without the GIL, unless Python
// runs within a step.
bool execute_rows(const Parts& parts, Run& run, const Ref& holder,
                  const std::vector<Source>& sources, const std::vector<int64_t>& rows,
                  Py_ssize_t batch, double seconds, const Watched& watched, Py_ssize_t& done) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  const auto steps = batch > 0 ? static_cast<Py_ssize_t>(rows.size()) / batch : 0;
  char* arena = arena_data(holder);
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
        if (watched.ends() || Clock::now() >= end) break;
      }
    });
  while (done < steps) {
    fill();
    if (!execute(parts, run, holder)) return false;
    take_turns(parts, run.external, ++done);
    take_turns(parts, run.arrays, done);
    if (watched.ends() || Clock::now() >= end) break;
  }
  return true;
}

}  // namespace

// run_rows(sources, rows, batch, variables, seconds, watched) -> (steps, outputs of the last)
// One step for each `batch` of the row numbers in `rows`, until the time is up or the output of
// number `watched` (-1: none) is NaN or infinite.
PyObject* program_run_rows(PyObject* self, PyObject* args) {
  PyObject *sources_o, *rows_o, *variables;
  Py_ssize_t batch, index;
  double seconds;
  if (!PyArg_ParseTuple(args, "O!OnO!dn", &PyList_Type, &sources_o, &rows_o, &batch, &PyList_Type,
                        &variables, &seconds, &index))
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
  Watched watched;
  {
    Writing alone(!parts.updates.empty());
    if (alone.failed() || !collect(parts, inputs.get(), variables, run) ||
        !add_others(parts, run) || !watch(parts, run, index, watched))
      return nullptr;
    Ref arena = borrow_arena(parts.program.arena_size);
    if (!arena) return nullptr;
    if (!execute_rows(parts, run, arena, sources, rows, batch, seconds, watched, done)) {
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

}  // namespace kerasish::python
