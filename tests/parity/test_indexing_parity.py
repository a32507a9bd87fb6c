"""Indexing, arranging and products: the same calls on the published Keras and on kerasish."""

import keras
import numpy as np
import pytest

import kerasish.ops as ours
import kerasish_core as core

pytestmark = pytest.mark.parity

X = np.arange(6.0, dtype="float32").reshape(2, 3)
I8, U8, FLAGS = (np.array([[1, 0], [2, 3]], d) for d in ("int8", "uint8", "bool"))
NAN = np.array([np.nan, 1, 3, np.nan, 4], "float32")


def case(name, *arguments, **options):
    return pytest.param(name, arguments, options, id=f"{name}-{len(arguments)}-{len(options)}")


CASES = [
    case("take", X, [0, 5, -1, -7, 7], axis=0),
    case("take", X, [-1], axis=1),
    case("take", X.astype("int32"), [0, 9], axis=1),
    case("take", X, 4),
    case("take_along_axis", X, np.array([[5, -1]]), axis=1),
    case("matmul", I8, I8),
    case("matmul", U8, U8),
    case("matmul", I8, U8),
    case("matmul", FLAGS, FLAGS),
    case("matmul", X, np.ones(3, "float16")),
    case("dot", I8, I8),
    case("dot", FLAGS, FLAGS),
    case("tensordot", I8, I8),
    case("einsum", "ij,jk->ik", I8, I8),
    case("einsum", "ij,jk->ik", I8, U8),
    case("einsum", "ij->i", I8),
    case("einsum", "ij,jk->ik", FLAGS, FLAGS),
    case("einsum", "ij,kj,k->i", X, X, np.ones(2, "float32")),
    case("trace", I8),
    case("trace", U8),
    case("trace", FLAGS),
    case("inner", FLAGS, FLAGS),
    case("outer", I8, U8),
    case("vdot", I8, I8),
    case("cross", np.array([1, 2, 3], "int32"), np.array([4, 5], "int32")),
    case("arange", 3),
    case("arange", 3.0),
    case("arange", 1, 3, 0.5),
    case("arange", np.int16(3)),
    case("argsort", NAN),
    case("argsort", FLAGS, axis=0),
    case("sort", NAN),
    case("top_k", NAN, 3),
    case("top_k", np.array([3, 1, 3, 2], "int32"), 3),
    case("in_top_k", np.array([0, 1, 5], "int32"), np.array([[0.1, 0.9], [1, 2], [1, 2]], "f4"), 1),
    case("searchsorted", np.array([1.0, 2.0, 3.0], "f4"), np.array([2.0, 5.0], "f4"), side="right"),
    case("one_hot", np.array([0, 3, -1, 1], "int32"), 3),
    case("one_hot", np.array([[0, 1]], "int32"), 3, axis=0, dtype="int8"),
    case("scatter", np.array([[0], [5], [-1]], "int32"), np.array([1.0, 2.0, 3.0], "f4"), (3,)),
    case("scatter_update", np.zeros(3, "f4"), np.array([[0], [0]]), np.array([1.0, 2.0], "f4")),
    case("scatter_update", X, np.array([[0, 5], [1, 1]]), np.array([1.0, 2.0], "f4")),
    case("slice", X, (1, 2), (1, 2)),
    case("slice", X, (-1, 0), (1, 2)),
    case("slice_update", X, (1, 2), np.ones((1, 2), "f4")),
    case("bincount", np.array([1, 1, 3], "int32"), minlength=6),
    case("bincount", np.array([1, 1, 3], "int32"), weights=np.array([1.0, 2.0, 3.0], "f4")),
    case("full", (2,), 3),
    case("full", (2, 2), np.array([1, 2], "int8")),
    case("eye", 2, 3, k=-1, dtype="int32"),
    case("linspace", 0, 5, 3),
    case("linspace", 0, -5, 3, dtype="int32"),
    case("linspace", 0, 5, 4, endpoint=False),
    case("concatenate", [I8, U8]),
    case("stack", [FLAGS, I8]),
    case("pad", FLAGS, 1),
    case("pad", I8, 1, constant_values=2),
    case("pad", X, (1, 2)),
    case("pad", X, ((1, 1), (2, 2)), mode="reflect"),
    case("roll", X, 4),
    case("roll", X, (1, 2), axis=1),
    case("split", X, [1], axis=1),
    case("split", X, [2, 2], axis=1),
    case("tile", X, 2),
    case("repeat", X, 2),
    case("repeat", X, np.array([1, 2]), axis=0),
    case("tril", FLAGS),
    case("triu", I8, k=1),
    case("diagonal", X, 1),
    case("meshgrid", np.arange(2, dtype="int32"), np.arange(3, dtype="int32")),
    case("unstack", X, axis=1),
    case("squeeze", X[:1]),
    case("expand_dims", X, (0, -1)),
    case("moveaxis", X, 0, 1),
    case("flip", X),
]


def leaves(x):
    return list(x) if isinstance(x, tuple | list) else [x]


@pytest.mark.parametrize(("name", "arguments", "options"), CASES)
def test_same_result(name, arguments, options):
    expected = leaves(getattr(keras.ops, name)(*arguments, **options))
    function = getattr(ours, name, None) or getattr(core.ops, name)
    found = leaves(function(*arguments, **options))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert tuple(one.shape) == tuple(other.shape)
        assert keras.backend.standardize_dtype(one.dtype) == str(other.dtype)
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-6)


@pytest.mark.parametrize("name", ["segment_sum", "segment_max"])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_segments(name, dtype):
    data = np.arange(8).reshape(4, 2).astype(dtype)
    for ids in ([0, 0, 2, -1], [0, 5, 1, 1]):
        ids = np.array(ids, "int32")
        expected = getattr(keras.ops, name)(data, ids, num_segments=4)
        found = getattr(core.ops, name)(data, ids, 4)
        assert found.dtype.name == str(expected.dtype)
        np.testing.assert_array_equal(np.asarray(found), np.asarray(expected))
