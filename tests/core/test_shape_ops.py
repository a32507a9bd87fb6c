"""Ops that arrange, create and sort elements: NumPy is the oracle of values."""

import numpy as np
import pytest
from finite_difference import check_gradients

import kerasish_core as core
from kerasish_core import ops

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 4))


def same(found, expected, dtype=None):
    expected = np.asarray(expected)
    assert isinstance(found, core.Tensor)
    assert found.shape == expected.shape
    assert found.dtype == (expected.dtype if dtype is None else np.dtype(dtype))
    np.testing.assert_array_equal(np.asarray(found), expected)


# (name of the function in both, arguments after x)
ALIKE = [
    ("reshape", ((4, -1),)),
    ("reshape", ((-1,),)),
    ("reshape", (24,)),
    ("transpose", ()),
    ("transpose", ((1, -1, 0),)),
    ("swapaxes", (0, -1)),
    ("moveaxis", (0, -1)),
    ("moveaxis", ((0, 1), (2, 0))),
    ("moveaxis", ([-1, 0], [0, 1])),
    ("expand_dims", (1,)),
    ("expand_dims", ((0, -1),)),
    ("broadcast_to", ((5, 2, 3, 4),)),
    ("flip", ()),
    ("flip", (1,)),
    ("flip", ((0, -1),)),
    ("roll", (5,)),
    ("roll", (-1, 1)),
    ("roll", ((1, 2), (0, 2))),
    ("roll", (2, (0, 1))),
    ("tile", (2,)),
    ("tile", ((2, 1, 1, 3),)),
    ("tile", ((2, 3),)),
    ("repeat", (2,)),
    ("repeat", (3, 1)),
    ("repeat", ([0, 2, 1], -2)),
    ("pad", (1,)),
    ("pad", ((1, 2),)),
    ("pad", (((1, 0), (0, 2), (3, 1)),)),
    ("pad", (((1, 1), (2, 1), (3, 2)), "reflect")),
    ("pad", (((2, 1), (3, 1), (4, 2)), "symmetric")),
    ("pad", (((2, 1), (5, 1), (0, 2)), "edge")),
    ("pad", (((0, 0), (5, 4), (9, 7)), "reflect")),
    ("ravel", ()),
    ("tril", ()),
    ("tril", (-1,)),
    ("triu", (2,)),
    ("diagonal", ()),
    ("diagonal", (1, 0, 2)),
    ("diagonal", (-1, 2, 1)),
    ("diagonal", (7,)),
    ("sort", ()),
    ("sort", (0,)),
    ("sort", (None,)),
]


@pytest.mark.parametrize(("name", "arguments"), ALIKE)
def test_value_and_gradient(name, arguments):
    function = getattr(ops, name)
    same(function(core.convert(X), *arguments), getattr(np, name)(X, *arguments))
    check_gradients(lambda x: function(x, *arguments), X)


@pytest.mark.parametrize(("name", "arguments"), ALIKE)
def test_numpy_calls_the_op(name, arguments):
    found = getattr(np, name)(core.convert(X), *arguments)
    same(found, getattr(np, name)(X, *arguments))


@pytest.mark.parametrize(("name", "arguments"), ALIKE)
def test_spec_without_values(name, arguments):
    spec = core.eval_spec(lambda x: getattr(ops, name)(x, *arguments), core.Spec(X.shape, X.dtype))
    expected = getattr(np, name)(X, *arguments)
    assert spec == core.Spec(expected.shape, expected.dtype)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "bfloat16", "complex64"])
def test_any_dtype_is_kept(dtype):
    x = core.convert(np.arange(6).reshape(2, 3), dtype)
    for found in (
        ops.transpose(x), ops.concatenate([x, x]), ops.pad(x, 1), ops.repeat(x, 2), x[:, 1:],
        ops.take(x, [0, 1], 1), ops.broadcast_to(x, (2, 2, 3)), ops.zeros_like(x), ops.sort(x),
        ops.tril(x), ops.full_like(x, 1),
    ):  # fmt: skip
        assert found.dtype == x.dtype


def test_empty_and_scalar():
    empty = core.convert(np.zeros((0, 3)))
    assert ops.reshape(empty, (3, -1)).shape == (3, 0)
    assert ops.concatenate([empty, np.ones((2, 3))]).shape == (2, 3)
    assert ops.tile(empty, 2).shape == (0, 6)
    assert ops.sort(empty).shape == (0, 3)
    assert ops.reshape(core.convert(2.0), (1, 1)).shape == (1, 1)
    assert ops.squeeze(np.ones((1, 1))).shape == ()
    assert ops.transpose(core.convert(2.0)).shape == ()


def test_squeeze():
    x = np.ones((1, 3, 1))
    for axis in (None, 0, -1, (0, 2)):
        assert ops.squeeze(x, axis).shape == np.squeeze(x, axis).shape
    with pytest.raises(core.ShapeError, match="axis 1 has size 3"):
        ops.squeeze(x, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.reshape(X, (5, 5)), r"24 elements.*\(5, 5\) has 25"),
        (lambda: ops.reshape(X, (5, -1)), "does not fit"),
        (lambda: ops.reshape(X, (-1, -1)), "does not fit"),
        (lambda: ops.transpose(X, (0, 0, 1)), "each axis once"),
        (lambda: ops.transpose(X, (0, 1)), "each axis once"),
        (lambda: ops.swapaxes(X, 0, 3), "axis 3 is out of range for rank 3"),
        (lambda: ops.broadcast_to(X, (3, 4)), "does not broadcast to"),
        (lambda: ops.concatenate([X, X[0]]), r"xs\[1\] is f64\[3,4\]"),
        (lambda: ops.concatenate([X, X[:, :2]], 2), "all axes but axis=2"),
        (lambda: ops.concatenate([1.0, 2.0]), "Use stack"),
        (lambda: ops.stack([X, X[:1]]), "shapes must be equal"),
        (lambda: ops.split(X, 2, axis=1), "can't be split into 2 equal parts"),
        (lambda: ops.unstack(X, 3, axis=0), "num=3"),
        (lambda: ops.repeat(X, [1, 2], 1), "2 repeats for axis 1 of size 3"),
        (lambda: ops.tril(X[0, 0]), "a matrix"),
        (lambda: ops.pad(X, ((1, 1), (2, 2))), "one pair"),
        (lambda: ops.pad(X, -1), "not negative"),
    ],
)
def test_errors_name_sizes(call, message):
    with pytest.raises(core.ShapeError, match=message):
        call()


def test_errors_while_tracing_are_the_same():
    with pytest.raises(core.ShapeError, match=r"24 elements.*has 25"):
        core.eval_spec(lambda x: ops.reshape(x, (5, 5)), core.Spec(X.shape, X.dtype))


def test_pad_refuses_what_it_can_not_do():
    with pytest.raises(ValueError, match="expected 'constant'"):
        ops.pad(X, 1, mode="wrap")
    with pytest.raises(ValueError, match="constant_values are for"):
        ops.pad(X, 1, mode="edge", constant_values=1)
    same(ops.pad(X, 1, constant_values=-2.5), np.pad(X, 1, constant_values=-2.5))


def test_sum_to_undoes_broadcasting():
    for shape in ((3, 4), (4,), (2, 1, 4), (1, 1, 1), (), (3, 1)):
        ones = np.broadcast_to(np.ones(shape), X.shape)
        axes = tuple(
            i for i in range(3)
            if i < 3 - len(shape) or shape[i - 3 + len(shape)] == 1
        )  # fmt: skip
        found = ops.sum_to(core.convert(X), shape)
        np.testing.assert_allclose(np.asarray(found), X.sum(axes, keepdims=True).reshape(shape))
        assert ones.shape == X.shape


def test_joining():
    parts = [X[:, :1], X[:, 1:], X]
    same(ops.concatenate(parts, -2), np.concatenate(parts, -2))
    same(ops.stack([X, -X], -1), np.stack([X, -X], -1))
    check_gradients(lambda a, b, c: ops.concatenate([a, b, c], 1), *parts)
    check_gradients(lambda a, b: ops.stack([a, b], 1), X, -X)
    mixed = ops.concatenate([np.ones(2, "int8"), np.ones(2, "uint8")])
    assert mixed.dtype == np.int16
    assert ops.stack([np.ones(2, bool), np.ones(2, "float32")]).dtype == np.float32


@pytest.mark.parametrize("sections", [3, [1], [0, 2], [2, 2]])
def test_split_and_unstack(sections):
    for found, expected in zip(ops.split(X, sections, 1), np.split(X, sections, 1), strict=True):
        same(found, expected)
    for found, expected in zip(ops.unstack(X, axis=-1), np.moveaxis(X, -1, 0), strict=True):
        same(found, expected)
    check_gradients(lambda x: ops.split(x, [1, 2], 1)[1] * ops.unstack(x, axis=1)[0][:, None], X)


@pytest.mark.parametrize("k", [-2, 0, 1])
def test_diag(k):
    vector, matrix = X[0, 0], X[0]
    same(ops.diag(vector, k), np.diag(vector, k))
    same(ops.diag(matrix, k), np.diag(matrix, k))
    check_gradients(lambda v: ops.diag(v, k), vector)
    with pytest.raises(core.ShapeError, match="one or two axes"):
        ops.diag(X)


# -- creation


def test_creation_defaults():
    assert ops.zeros((2,)).dtype == np.float32
    assert ops.ones(3).shape == (3,)
    same(ops.full((2, 2), 3), np.full((2, 2), 3, "float32"))
    same(ops.full((2, 2), [1, 2], "int8"), np.full((2, 2), [1, 2], "int8"))
    same(ops.full_like(X, 2), np.full_like(X, 2))
    same(ops.ones_like(X, "int32"), np.ones(X.shape, "int32"))
    same(ops.eye(2, 3, k=-1), np.eye(2, 3, -1, "float32"))
    same(ops.tri(3, k=1, dtype="int32"), np.tri(3, k=1, dtype="int32"))


def test_large_constants_of_a_trace_are_no_arrays():
    step = core.compile_step(lambda x: x + ops.zeros((300, 300)))
    same(step(np.ones((), "float32")), np.ones((300, 300), "float32"))
    assert "broadcast_to" in step.explain()


@pytest.mark.parametrize(
    ("arguments", "dtype"),
    [
        ((3,), "int32"), ((3.0,), "float32"), ((1, 3, 0.5), "float32"), ((5, 0, -2), "int32"),
        ((np.int16(3),), "int16"), ((np.int64(3),), "int32"), ((np.float64(3),), "float32"),
        ((0, 1, 0.1), "float32"),
    ],
)  # fmt: skip
def test_arange(arguments, dtype):
    found = ops.arange(*arguments)
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_allclose(found, np.arange(*arguments), rtol=1e-6)
    assert ops.arange(*arguments, dtype="float64").dtype == np.float64


def test_linspace():
    np.testing.assert_allclose(ops.linspace(0, 1, 7), np.linspace(0, 1, 7), rtol=1e-6)
    low, high = np.array([0.0, 1.0]), np.array([[2.0], [5.0]])
    for options in ({}, {"endpoint": False}, {"axis": -1}, {"num": 1}, {"num": 0}):
        found = ops.linspace(low, high, **{"num": 4, **options})
        np.testing.assert_allclose(found, np.linspace(low, high, **{"num": 4, **options}))
    same(ops.linspace(0, -5, 3, dtype="int32"), np.array([0, -3, -5], "int32"))
    found, step = ops.linspace(0.0, 5.0, 4, endpoint=False, retstep=True)
    assert float(step) == 1.25
    assert float(found[-1]) == 3.75
    check_gradients(lambda a, b: ops.linspace(a, b, 4), low, high)


@pytest.mark.parametrize("indexing", ["xy", "ij"])
def test_meshgrid(indexing):
    axes = [np.arange(2), np.arange(3.0), np.arange(4)]
    for count in (1, 2, 3):
        found = ops.meshgrid(*axes[:count], indexing=indexing)
        for one, expected in zip(found, np.meshgrid(*axes[:count], indexing=indexing), strict=True):
            same(one, expected)


def test_one_hot():
    x = np.array([[0, 2], [-1, 3]])
    expected = np.zeros((2, 2, 3), "float32")
    expected[0, 0, 0] = expected[0, 1, 2] = 1
    same(ops.one_hot(x, 3), expected)
    same(ops.one_hot(x, 3, axis=0, dtype="int8"), np.moveaxis(expected, -1, 0).astype("int8"))
    same(ops.one_hot(x, 3, axis=1), np.moveaxis(expected, -1, 1))
    same(ops.one_hot(x.astype("uint8"), 3), expected)
    same(ops.one_hot(np.array([300], "int32"), 256), np.zeros((1, 256), "float32"))
    assert int(ops.sum(ops.one_hot(np.array([3], "uint8"), 300))) == 1
    same(ops.one_hot(np.array([True, False]), 2), np.eye(2, dtype="float32")[::-1])


# -- sorting


def test_sort_with_ties_and_nan():
    x = np.array([3.0, np.nan, 1.0, -np.inf, 3.0, 1.0])
    same(ops.sort(x), np.sort(x))
    same(ops.argsort(x), np.argsort(x, kind="stable").astype("int32"))
    same(ops.argsort(X, None), np.argsort(X, None).astype("int32"))
    values, indices = ops.top_k(x, 4)
    same(values, np.array([np.nan, 3.0, 3.0, 1.0]))
    same(indices, np.array([1, 0, 4, 2], "int32"))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "bool", "float16", "int64"])
def test_top_k(dtype):
    x = RNG.integers(0, 5, (4, 7)).astype(dtype)
    values, indices = ops.top_k(x, 3)
    assert indices.dtype == np.int32
    same(values, np.sort(x, -1)[:, ::-1][:, :3])
    same(values, np.take_along_axis(x, np.asarray(indices), -1))
    with pytest.raises(core.ShapeError, match="at least k=8"):
        ops.top_k(x, 8)


def test_top_k_gradient():
    check_gradients(lambda x: ops.top_k(x, 2)[0], X)


def test_in_top_k():
    scores = np.array([[0.1, 0.9, 0.1], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [np.nan, 1.0, 0.0]])
    same(ops.in_top_k(np.array([0, 1, 5, 0]), scores, 2), np.array([True, True, False, False]))


def test_searchsorted():
    rows, values = np.array([1, 2, 2, 5]), np.array([[0, 2], [5, 9]])
    for side in ("left", "right"):
        same(ops.searchsorted(rows, values, side), np.searchsorted(rows, values, side), "int32")
    same(ops.searchsorted(rows, 2.5), np.array(3, "int32"))
    with pytest.raises(ValueError, match="side='middle'"):
        ops.searchsorted(rows, values, "middle")
    with pytest.raises(core.ShapeError, match="one axis"):
        ops.searchsorted(X, values)


def test_bincount():
    x = np.array([1, 1, 3])
    same(ops.bincount(x), np.array([0, 2, 0, 1], "int32"))
    same(ops.bincount(x, minlength=6), np.array([0, 2, 0, 1, 0, 0], "int32"))
    same(ops.bincount(x, weights=np.array([1.0, 2.0, 4.0])), np.array([0.0, 3.0, 0.0, 4.0]))
    with pytest.raises(core.ShapeError, match="one axis"):
        ops.bincount(np.ones((2, 2), int))
