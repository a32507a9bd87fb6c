"""Half types in native programs: float32 within each op, one rounding of its result."""

import numpy as np
import pytest

import kerasish_core as core
from kerasish_core.dtypes import as_dtype
from kerasish_core.ir import Graph, Node, verify
from kerasish_core.passes.widen import widen_halves

# Skipped where the library was not built; other tests of it fail in CI then.
_shadow = pytest.importorskip("kerasish_core.executors.native.shadow", exc_type=ImportError)
NativeProgram, difference = _shadow.NativeProgram, _shadow.difference
HALVES = ("float16", "bfloat16")
RNG = np.random.default_rng(0)
CONV = {"strides": (1, 1), "pads": ((1, 1), (1, 1)), "dilation": (1, 1), "groups": 1}
POOL = {"window": (2, 2), "strides": (2, 2), "pads": ((0, 0), (0, 0))}


def draw(*shape):
    return RNG.normal(size=shape)


CASES = [
    ("matmul", [draw(9, 20), draw(20, 7)], {}),
    ("matmul", [draw(3, 9, 20), draw(20, 1)], {}),
    ("einsum", [draw(2, 5, 6), draw(6, 4)], {"terms": ("abc", "cd"), "result": "abd"}),
    ("sum", [draw(300, 70)], {"axes": (0,), "keepdims": False}),
    ("sum", [draw(300, 70)], {"axes": (1,), "keepdims": True}),
    ("max", [draw(30, 70)], {"axes": (0, 1), "keepdims": False}),
    ("prod", [draw(8, 6)], {"axes": (1,), "keepdims": False}),
    ("softmax", [draw(9, 33)], {"axes": (1,)}),
    ("log_softmax_grad", [draw(9, 33), draw(9, 33)], {"axes": (1,)}),
    ("layer_norm", [draw(9, 33), draw(33), draw(33)], {"epsilon": 0.01}),
    ("moments", [draw(40, 33)], {"axes": (0,), "keepdims": False}),
    ("conv", [draw(2, 8, 8, 3), draw(3, 3, 3, 5)], CONV),
    ("max_pool", [draw(2, 8, 8, 3)], POOL),
]  # fmt: skip


def graph_of(name, arrays, attrs):
    """One op as a graph."""
    op, count = core.REGISTRY[name], len(arrays)
    specs = [core.Spec(a.shape, a.dtype) for a in arrays]
    made = op.infer(*specs, **attrs)
    specs += made if op.multiple else (made,)
    outputs = tuple(range(count, len(specs)))
    node = Node(op, tuple(range(count)), outputs, attrs)
    return Graph(name, node.inputs, {}, (node,), outputs, dict(enumerate(specs)))


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name, arrays, attrs", CASES)
def test_as_the_reference(name, arrays, attrs, dtype):
    given = [a.astype(as_dtype(dtype)) for a in arrays]
    graph = graph_of(name, given, attrs)
    program = NativeProgram(graph)
    assert program.generic == 0
    found = program.run(given, [])
    op = core.REGISTRY[name]
    expected = op.kernel(np, *given, **attrs)
    for a, b in zip(found, expected if op.multiple else (expected,), strict=True):
        assert a.dtype == b.dtype and a.shape == b.shape
        assert difference(a, np.asarray(b)) == ""


@pytest.mark.parametrize("dtype", HALVES)
def test_sums_do_not_saturate(dtype):
    """Ones added up in the half type itself would stop at 2048 or 256."""
    x = np.ones((1, 4096), as_dtype(dtype))
    (total,) = NativeProgram(graph_of("matmul", [x, x.T.copy()], {})).run([x, x.T.copy()], [])
    assert float(total[0, 0]) == 4096
    (total,) = NativeProgram(graph_of("sum", [x], {"axes": (1,), "keepdims": False})).run([x], [])
    assert float(total[0]) == 4096


def test_an_operand_is_cast_once():
    half = core.Spec((4, 4), np.dtype("float16"))
    matmul = core.REGISTRY["matmul"]
    nodes = (Node(matmul, (0, 0), (1,), {}), Node(matmul, (0, 1), (2,), {}))
    graph = Graph("twice", (0,), {}, nodes, (1, 2), dict.fromkeys(range(3), half))
    wide = widen_halves(graph, lambda node, specs: specs[node.inputs[0]].dtype == np.float32)
    verify(wide)
    # Of input 0, of result 1 for the second product, and the two results back.
    assert [n.op.name for n in wide.nodes] == ["cast", "matmul", "cast", "cast", "matmul", "cast"]
    assert wide.outputs == graph.outputs


def test_what_has_a_kernel_stays():
    x = RNG.normal(size=(4, 5)).astype("float16")
    graph = graph_of("argmax", [x], {"axis": 1, "keepdims": False})
    kernels = [step.kernel for step in NativeProgram(graph).instructions]
    assert kernels == ["argmax"]


def test_every_node_of_a_group_may_be_an_output():
    """More outputs than a chain usually has: as many as a group has nodes."""
    add, spec = core.REGISTRY["add"], core.Spec((5,), np.dtype("float32"))
    count = 100
    nodes = tuple(Node(add, (0, i), (i + 1,), {}) for i in range(count))
    outputs = tuple(range(1, count + 1))
    graph = Graph("chain", (0,), {}, nodes, outputs, dict.fromkeys(range(count + 1), spec))
    found = NativeProgram(graph).run([np.ones(5, "float32")], [])
    assert [float(a[4]) for a in found] == [float(i) for i in range(2, count + 2)]
