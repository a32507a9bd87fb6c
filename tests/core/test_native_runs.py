"""Runs of programs beside each other: threads, leases, forks, failures in the middle of a step."""

import contextlib
import gc
import os
import threading
import time
import weakref

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core.dispatch import apply
from kerasish_core.op import Op
from kerasish_core.variable import Writers

pytestmark = pytest.mark.usefixtures("native")
N = 200_000  # elements: a step takes long enough to be seen in the middle


def filled(value=0.0, n=N):
    return core.Variable(np.full(n, value, "float32"))


def number(value):
    return core.convert(np.float32(value))


def stepper(*variables):
    """A compiled step that adds its argument to every variable."""

    @core.function
    def step(x):
        for variable in variables:
            variable.assign_add(x)

    return step


@contextlib.contextmanager
def repeating(*functions):
    """Each function again and again in a thread of its own while the block runs."""
    ended, failures = threading.Event(), []

    def loop(function):
        try:
            while not ended.is_set():
                function()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=loop, args=(f,)) for f in functions]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not failures, failures


def reads_beside_training(count):
    """How many of `count` eager reads beside a training loop were torn or changed later."""
    a = filled()
    step, one = stepper(a), number(1)
    step(one)
    torn = changed = 0
    with repeating(lambda: step(one)):
        for _ in range(count):
            array = a.numpy()
            torn += array.min() != array.max()
            lease = a.value
            first = lease.numpy()
            time.sleep(1e-4)
            changed += not np.array_equal(first, lease.numpy())
    return torn, changed


def test_eager_reads_are_of_whole_steps_and_leases_stay():
    assert reads_beside_training(300) == (0, 0)


def test_the_readers_test_can_fail(monkeypatch):
    monkeypatch.setattr(Writers, "active", ())  # nobody says that a program is writing
    for _ in range(20):
        torn, changed = reads_beside_training(100)
        if torn or changed:
            break
    assert torn or changed


def test_predictions_in_eight_threads_beside_training():
    a, b = filled(), filled()

    @core.function
    def step(x):
        a.assign_add(x)
        b.assign_sub(x)

    @core.function
    def predict():
        return a.value + b.value

    counts = [0] * 9

    def predicting(i):
        def once():
            assert not predict().numpy().any()
            counts[i] += 1

        return once

    def training():
        step(number(1))
        counts[8] += 1

    with repeating(training, *map(predicting, range(8))):
        while min(counts) < 10:  # nobody is kept waiting by the others
            time.sleep(0.01)
    assert a.numpy()[0] == counts[8]


def test_assignments_beside_training_are_not_lost():
    a, target = filled(), filled()
    step, one = stepper(a), number(1)
    with repeating(lambda: step(one)):
        for i in range(100):
            a.assign(np.full(N, -1e6 * (i + 1), "float32"))
            array = a.numpy()
            assert array.min() == array.max()
            assert -1e6 * (i + 1) <= array[0] < -1e6 * (i + 1) + 5e5
    assert target.numpy().sum() == 0


def test_two_threads_train_two_models():
    variables = [filled(), filled()]
    counts = [0, 0]

    def training(i):
        step, one = stepper(variables[i]), number(1 + i)

        def once():
            step(one)
            counts[i] += 1

        return once

    with repeating(training(0), training(1)):
        while min(counts) < 50:
            time.sleep(0.01)
    for i, variable in enumerate(variables):
        np.testing.assert_array_equal(variable.numpy(), np.float32(counts[i] * (1 + i)))


def test_first_calls_in_many_threads_trace_once():
    traced = []

    @core.function
    def step(x):
        traced.append(1)
        return x * 2

    gate = threading.Barrier(8)
    results = []

    def call():
        gate.wait()
        results.append(float(step(number(4))))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [8.0] * 8
    assert len(traced) == 1


# -- leases
def test_nothing_handed_out_changes():
    a = filled(1.0, 64)
    step = stepper(a)
    step(number(1))
    out = [
        a.value, a.value[3:9], a.value.reshape((8, 8)).T, core.Variable(a.value).value, a.numpy(),
        np.asarray(a), np.from_dlpack(a.value), a.value.value[::2],
    ]  # fmt: skip
    before = [np.array(x) for x in out]
    for _ in range(3):
        step(number(1))
    for x, y in zip(out, before):
        np.testing.assert_array_equal(np.asarray(x), y)
    assert a.numpy()[0] == 5


def test_what_a_user_does_to_copies_stays_with_the_user():
    source = np.ones(64, "float32")
    a = core.Variable(source)
    a.numpy()[:] = 7
    # Nothing to write to: NumPy 2.0 takes such arrays read-only.
    assert not np.shares_memory(np.from_dlpack(a.value), a.value.value)
    stepper(a)(number(1))
    assert a.numpy()[0] == 2
    assert source[0] == 1


def test_an_output_is_no_variable():
    a = filled(0.0, 64)

    @core.function
    def step(x):
        a.assign_add(x)
        return a.value

    first = step(number(1))
    step(number(1))
    assert float(first[0]) == 1


# -- failures in the middle of a step
class _Boom(Exception):
    pass


def in_python(function):
    """An op that no native kernel serves: `function(array)` runs within the step."""

    def kernel(xp, x):
        function(x)
        return x

    op = Op("in_python", "opaque", "x", infer=lambda x: x, kernel=kernel)
    return lambda x: apply(op, x)


def host_step(a, b, middle):
    """A step that writes `a`, then runs a kernel in Python, then writes `b`."""

    @core.function
    def step(x):
        total = core.ops.sum(x, axis=0)
        a.assign_add(total)
        b.assign_add(total + 0 * middle(total * 1))

    return step


def test_an_error_of_a_kernel_in_python_leaves_the_variables_alone():
    a, b = filled(0.0, 8), filled(0.0, 8)
    failing = [False]

    def check(x):
        if failing[0]:
            raise _Boom("in the middle")

    step, x = host_step(a, b, in_python(check)), core.convert(np.ones((1, 8), "float32"))
    step(x)
    assert "[in_python]" in step.explain("kernels")
    failing[0] = True
    with pytest.raises(_Boom) as caught:
        step(x)
    assert any("in_python" in note for note in caught.value.__notes__)
    failing[0] = False
    assert a.numpy().tolist() == b.numpy().tolist() == [1.0] * 8
    step(x)
    assert a.numpy().tolist() == b.numpy().tolist() == [2.0] * 8


@pytest.mark.parametrize("fails_at", [0, 1, 4, 5])
def test_steps_before_a_failing_one_stay(fails_at):
    a, b = filled(0.0, 8), filled(0.0, 8)

    def check(x):
        if x[0] > 99:
            raise KeyboardInterrupt

    rows = np.arange(1, 9, dtype="float32")[:, None] + np.zeros(8, "float32")
    step = host_step(a, b, in_python(check))
    bad = rows.copy()
    bad[fails_at] = 100
    with pytest.raises(KeyboardInterrupt):
        step.run_rows((core.convert(rows[:1]),), [bad], np.arange(8), 1, 60.0)
    expected = rows[:fails_at].sum(0)
    np.testing.assert_array_equal(a.numpy(), expected)
    np.testing.assert_array_equal(b.numpy(), expected)
    assert step.run_rows((core.convert(rows[:1]),), [rows], np.arange(8), 1, 60.0)[0] == 8
    np.testing.assert_array_equal(a.numpy(), expected + rows.sum(0))
    np.testing.assert_array_equal(b.numpy(), expected + rows.sum(0))


@pytest.mark.parametrize("fails_at", [0, 1, 4, 5])
def test_steps_before_a_bad_index_stay(fails_at):
    """`a` is written before the native kernel that fails, `b` after it."""
    a, b = filled(0.0, 8), filled(0.0, 8)
    table = filled(1.0, 10)

    @core.function
    def step(x, i):
        a.assign_add(core.ops.sum(x, axis=0))
        found = (table.value * a.value[0])[i]
        b.assign_add(core.ops.sum(x, axis=0) + 0 * core.ops.sum(found))

    rows = np.arange(1, 9, dtype="float32")[:, None] + np.zeros(8, "float32")
    index = np.arange(8, dtype="int32")
    index[fails_at] = 99
    example = core.convert(rows[:1]), core.convert(index[:1] * 0)
    with pytest.raises(IndexError):
        step.run_rows(example, [rows, index], np.arange(8), 1, 60.0)
    expected = rows[:fails_at].sum(0)
    np.testing.assert_array_equal(a.numpy(), expected)
    np.testing.assert_array_equal(b.numpy(), expected)


def test_a_step_within_a_step_is_refused():
    """A signal handler can run while a kernel of Python does."""
    a, b = filled(0.0, 8), filled(0.0, 8)
    other = stepper(filled(0.0, 8))
    other(number(1))
    seen, errors = [], []

    def nested(x):
        seen.append(a.numpy()[0])  # the value before the step
        try:
            other(number(1))
        except RuntimeError as error:
            errors.append(str(error))

    host_step(a, b, in_python(nested))(core.convert(np.ones((1, 8), "float32")))
    assert seen == [0.0]
    assert "within another one" in errors[0]
    other(number(1))


# -- the pool
def test_the_number_of_threads_changes_while_programs_run(native):
    a = filled()
    step, one = stepper(a), number(1)
    counts = [0]

    def training():
        step(one)
        counts[0] += 1

    with repeating(training, training):
        for i in range(60):
            native.set_threads(1 + i % 4)
    array = a.numpy()
    assert array.min() == array.max()


def chained(native, threads, chunks):
    """The weights after eight steps in chunks of so many seconds, with that many threads."""
    native.set_threads(threads)
    rng = np.random.default_rng(3)
    w = core.Variable(rng.normal(size=(300, 200)).astype("float32"))
    x = rng.normal(size=(8 * 32, 300)).astype("float32")

    @core.function
    def step(x):
        h = core.ops.tanh(core.ops.matmul(x, w.value))
        g = core.ops.matmul(core.ops.transpose(x), h * (1 - h * h))
        w.assign_sub(0.01 * g)
        return core.ops.sum(h)

    order = rng.permutation(len(x)).astype("int64")
    if chunks is None:
        for i in range(8):
            step(core.convert(x[order[i * 32 : (i + 1) * 32]]))
        return w.numpy()
    done = 0
    while done < 8:
        part = order[done * 32 :]
        count, _ = step.run_rows((core.convert(x[:32]),), [x], part, 32, chunks)
        done += count
    return w.numpy()


def test_bits_do_not_depend_on_threads_or_chunks(native):
    expected = chained(native, 1, None)
    for threads in (1, 2, 3):
        for chunks in (None, 0.0, 60.0):
            found = chained(native, threads, chunks)
            np.testing.assert_array_equal(found.view("u4"), expected.view("u4"))


# -- forks
def exit_code_of_child(check):
    """Fork; the child's exit code: 0 if `check()` holds there, 1 if not."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if check() else 1
        finally:
            os._exit(code)
    ended = time.monotonic() + 60
    while time.monotonic() < ended:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return "hangs"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forks_beside_training(native):
    native.set_threads(2)
    a, b = filled(), filled()
    step, one = stepper(a, b), number(1)
    step(one)

    @core.function
    def predict():
        return a.value - b.value

    predict()

    def check():
        array = a.numpy()
        whole = array.min() == array.max() and not predict().numpy().any()
        step(one)
        after = a.numpy()
        return whole and after.min() == after.max() == array[0] + 1

    with repeating(lambda: step(one), predict):
        codes = [exit_code_of_child(check) for _ in range(12)]
    assert codes == [0] * 12


# -- what is kept
def test_programs_of_a_function_are_bounded():
    @core.function
    def double(x):
        return x * 2

    for n in range(1, 100):
        assert double(core.convert(np.ones(n, "float32"))).shape == (n,)
    assert len(double._entries) <= 64
    assert len(double.retraces) == 98
    assert float(double(core.convert(np.ones(99, "float32")))[0]) == 2
    assert len(double.retraces) == 98


def test_a_dropped_function_frees_its_program_and_variables():
    def make():
        a = core.Variable(np.zeros(1000, "float32"))
        step = stepper(a)
        step(number(1))
        return [step, a._tensor]

    made = make()
    entry = next(iter(made[0]._entries.values()))
    program = weakref.ref(entry.native)
    variable, array = weakref.ref(entry.variables[0]), weakref.ref(made[1].value)
    del made, entry
    gc.collect()
    assert program() is variable() is array() is None


def test_arenas_are_shared(native):
    gc.collect()
    native.release_memory()
    before = native.held_memory()
    for n in range(100, 200):
        step = core.function(lambda x: core.ops.sum(core.ops.matmul(x, x) * 2))
        step(core.convert(np.ones((n, n), "float32")))
    assert native.held_memory() - before <= 4 * 200 * 200 * 4
