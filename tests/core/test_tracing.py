"""Traces, the IR's text, passes and compiled steps."""

import gc
import inspect
import weakref

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core import ops
from kerasish_core.ir import parse, to_text, verify
from kerasish_core.passes import cse, dce, fold, optimize
from kerasish_core.tracing import trace

F32 = np.dtype("float32")


def example(x, y):
    a = ops.exp(x) + ops.exp(x)
    ops.sin(y)  # nobody uses it
    limit = ops.sqrt(ops.ones((), "float32") * 4.0)
    z = core.cond(ops.sum(y) > 0.0, lambda: a * limit, lambda: a + y[0, 1:3])
    return ops.reshape(z, (2, 1)), ops.clip(y, -1.0, float("inf"))


def traced():
    return trace(example, [core.Spec((2,), F32), core.Spec((2, 3), F32)]).graph


def test_text_is_read_back():
    graph = traced()
    text = to_text(graph)
    again = parse(text)
    assert to_text(again) == text
    verify(graph)
    verify(again)
    assert "test_tracing.py:" in text and "graph @branch_0" in text


def test_damaged_text_is_refused():
    text = to_text(traced())
    for bad in (text[:-4], text.replace("exp(", "nosuch("), "hello"):
        with pytest.raises(ValueError, match=r"complete|no op|graph"):
            parse(bad)


def test_verify_sees_a_broken_graph():
    graph = traced()
    swapped = graph._replace(nodes=graph.nodes[::-1])
    with pytest.raises(core.VerifyError):
        verify(swapped)
    specs = dict(graph.specs)
    specs[graph.nodes[0].outputs[0]] = core.Spec((7,), F32)
    with pytest.raises(core.VerifyError):
        verify(graph._replace(specs=specs))


def test_passes():
    graph = traced()
    names = [n.op.name for n in graph.nodes]
    assert "sin" in names and names.count("exp") == 2
    assert "sin" not in [n.op.name for n in dce(graph).nodes]
    assert [n.op.name for n in cse(graph).nodes].count("exp") == 1
    assert "sqrt" not in [n.op.name for n in fold(graph).nodes]
    small = verify(optimize(graph))
    assert len(small.nodes) < len(graph.nodes) - 3


def test_optimized_gives_the_same_bits(monkeypatch):
    monkeypatch.setenv("KERASISH_NATIVE", "0")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=2).astype("float32"), rng.normal(size=(2, 3)).astype("float32")
    step = core.function(example)
    for values in (y, np.abs(y), -np.abs(y)):
        for a, b in zip(example(core.convert(x), core.convert(values)), step(x, values)):
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_one_trace_for_each_signature_and_the_reason():
    calls = []

    @core.function
    def f(x, flag=True):
        calls.append(1)
        return x * 2 if flag else x

    f(np.ones(3))
    f(np.zeros(3))
    f(np.ones(4))
    f(np.ones(4), flag=False)
    assert len(calls) == 3
    assert "f64[4]" in f.retraces[0] and "f64[3]" in f.retraces[0]


def test_value_dependent_branches_name_the_line():
    @core.function
    def f(x):
        if x > 0:
            return x
        return -x

    with pytest.raises(core.TraceError, match=r"test_tracing\.py:\d+"):
        f(core.convert(1.0))
    for ask in (float, np.asarray, lambda t: t.numpy(), lambda t: t.item(), lambda t: f"{t:.2f}"):
        with pytest.raises(core.TraceError):
            core.function(lambda x, ask=ask: ask(x))(core.convert(1.0))


def test_a_failed_trace_changes_nothing():
    v = core.Variable(1.0)

    @core.function
    def f(x):
        v.assign(x)
        return float(x)

    with pytest.raises(core.TraceError):
        f(core.convert(5.0))
    assert float(v) == 1.0


def test_a_tensor_may_not_outlive_its_trace():
    kept = []
    core.function(lambda x: kept.append(x) or x)(core.convert(1.0))
    with pytest.raises(core.TraceError, match="has ended"):
        core.function(lambda x: x + kept[0])(core.convert(1.0))


def test_eval_spec_runs_nothing():
    v = core.Variable(1.0)

    def f(x):
        v.assign(ops.sum(x))
        return {"y": ops.matmul(x, x), "n": 3}

    found = core.eval_spec(f, core.Spec((2, 2), F32))
    assert found == {"y": core.Spec((2, 2), F32), "n": 3} and float(v) == 1.0


def test_stateless_scope_leaves_variables_alone():
    v = core.Variable(1.0)
    with core.StatelessScope([(v, 5.0)]) as scope:
        assert float(v * 2.0) == 10.0
        v.assign(7.0)
        assert float(v.value) == 7.0
    assert float(v) == 1.0 and float(scope.get_current_value(v)) == 7.0


def test_while_loops_without_a_bound():
    def f(n, x):
        return core.while_loop(lambda i, s: i < n, lambda i, s: (i + 1, s * x), (0, x))[1]

    assert float(core.function(f)(core.convert(3), core.convert(2.0))) == 16.0
    with pytest.raises(core.GradientError, match="maximum_iterations"):
        core.function(core.grad(f, argnums=1))(core.convert(3), core.convert(2.0))


def test_scan_stacks_and_carries_state():
    total = core.Variable(0.0)

    def f(xs):
        def body(carry, x):
            total.assign_add(x)
            return carry + x, carry * x

        return core.scan(body, core.convert(1.0), xs, reverse=True)

    xs = np.arange(1, 5, dtype="float32")
    expected = f(xs)
    once = float(total)
    found = core.function(f)(xs)
    for a, b in zip(expected, found):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    assert once == 10.0 and float(total) == 20.0


def test_a_dict_whose_keys_are_not_sorted():
    """Arguments reach the names they were given under, whatever the order of keys."""
    step = core.compile_step(lambda d: {"difference": d["b"] - d["a"], "a": d["a"]})
    found = step({"b": np.float32([[5, 7]]), "a": np.float32([1])})
    np.testing.assert_array_equal(found["difference"], [[4, 6]])
    np.testing.assert_array_equal(found["a"], [1])


def test_compiled_methods():
    class Scale:
        factor = 3.0

        @core.function
        def times(self, x, y=2.0):
            return x * self.factor * y

    one, two = Scale(), Scale()
    two.factor = 5.0
    x = core.convert(2.0)
    assert float(one.times(x)) == 12.0 and float(one.times(x, y=1.0)) == 6.0
    assert float(two.times(x)) == 20.0 and float(Scale.times(one, x)) == 12.0
    assert one.times is one.times
    assert list(inspect.signature(one.times).parameters) == ["x", "y"]
    held = weakref.ref(two)
    del two
    gc.collect()
    assert held() is None


def test_numbers_of_scalars_are_hashable():
    number = core.ops.argmax(core.convert([0, 3, 1])).numpy()
    assert {1: "one"}[number] == "one" and number.dtype == "int32"
    assert core.Variable(2.0).numpy() == 2.0
    assert type(core.convert(2.0).__array__()) is np.ndarray


def test_sizes_stay_numbers_in_a_trace():
    """What is computed of known whole numbers can be a shape."""
    o = core.ops

    def f(x):
        rows = o.cast(core.convert(x.shape[0]), "int64")
        sizes = o.stack([o.maximum(rows, 1), o.prod(core.convert(x.shape)) // rows])
        return o.reshape(x, sizes) + o.zeros((rows, 1))

    x = core.convert(np.arange(6.0).reshape(2, 3))
    assert np.array_equal(core.compile_step(f)(x), x)
    many = core.convert(np.arange(40))
    for values, there in ((many, True), (many[:4], False)):  # no constant is made of large ones
        program = to_text(trace(lambda x, values=values: x + values * 2, [core.convert(1)]).graph)
        assert ("multiply" in program) is there
