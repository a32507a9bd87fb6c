"""Shapes and dtypes of symbolic results against the published Keras."""

import keras
import numpy as np
import pytest

import kerasish

pytestmark = pytest.mark.parity

BROADCAST = [
    # Sizes that a batch or an unknown axis might be taken for.
    ((None,), (2,)), ((None,), (3,)), ((None,), (83,)), ((None,), (131,)), ((None,), (1,)),
    ((None,), (None,)), ((None,), ()), ((None, 2), (None,)), ((None, None), (2,)),
    ((None, None), (3,)), ((None, 4), (2, 4)), ((None, 4), (3, 4)), ((None, 1), (3,)),
    ((2,), (None, None)), ((None, 2), (2, None)), ((None, None), (None, 1)),
    ((None, None, 5), (7, 1)), ((None, 3), (4,)), ((2, None), (3, 4)),
]  # fmt: skip


def shape_of(function, *args):
    try:
        return tuple(function(*args).shape)
    except (ValueError, TypeError):
        return "refused"


@pytest.mark.parametrize("shapes", BROADCAST, ids=str)
@pytest.mark.parametrize("name", ["add", "maximum", "less", "logaddexp", "arctan2"])
def test_broadcasting_of_unknown_sizes(name, shapes):
    found, expected = (
        shape_of(getattr(k.ops, name), *(k.KerasTensor(s) for s in shapes))
        for k in (kerasish, keras)
    )
    assert found == expected


CALLS = {
    "where": lambda k, t: k.ops.where(t(None), t(3), t(None)),
    "array": lambda k, t: t(None) + np.ones(3, "float32"),
    "reflected array": lambda k, t: k.ops.subtract(np.ones((2, 3), "float32"), t(None, None)),
    "square matrices": lambda k, t: k.ops.matmul(t(None, None), t(None, None)),
    "batched": lambda k, t: k.ops.matmul(t(None, 4, 5), t(3, 5, 2)),
    "einsum": lambda k, t: k.ops.einsum("ij,ij->i", t(None, 4), t(3, 4)),
    "joined": lambda k, t: k.ops.concatenate([t(None, 4), t(3, 4)], 0),
    "strided": lambda k, t: t(None, None)[:, ::64],
    "pooled": lambda k, t: k.layers.AveragePooling1D(64)(t(None, None, 2)),
    "wide kernel": lambda k, t: k.layers.Conv1D(3, 60)(t(None, None, 2)),
    "added": lambda k, t: k.layers.Add()([t(None, 4), t(2, 4)]),
    "batch of three": lambda k, t: t(None, 3) * t(3),
}


@pytest.mark.parametrize("name", CALLS)
def test_shapes_with_unknown_sizes(name):
    found, expected = (
        shape_of(lambda k=k: CALLS[name](k, lambda *s: k.KerasTensor(s))) for k in (kerasish, keras)
    )
    assert found == expected


def test_sizes_that_do_not_fit_are_named_as_they_are():
    x = kerasish.KerasTensor((None, 4))
    with pytest.raises(ValueError, match="4 and 5"):
        x + kerasish.KerasTensor((2, 5))


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8", "uint32", "float16", "float32"])
def test_hard_tanh_keeps_integers(dtype):
    x = np.array([0, 1, 2, 7, 100]).astype(dtype)
    signed = dtype[0] != "u"  # Keras on JAX takes -1 for 255 or more there
    x = np.concatenate([x, -x]) if signed else x
    for room in ("ops", "activations"):
        found, expected = (getattr(k, room).hard_tanh(x) for k in (kerasish, keras))
        assert found.dtype.name == str(expected.dtype)
        wanted = np.asarray(expected) if signed else np.minimum(x, 1)
        np.testing.assert_array_equal(np.asarray(found), wanted)
    assert kerasish.ops.hard_tanh(np.array([True])).dtype.name == "int32"


UNKNOWN = {
    "unique": lambda k, x: k.ops.unique(x("int32", None), return_inverse=True, return_counts=True),
    "unique along an axis": lambda k, x: k.ops.unique(
        x("int32", 4, None), return_index=True, return_inverse=True, axis=-2
    ),
    "unique of a size": lambda k, x: k.ops.unique(x("int32", 4, 5), return_inverse=True, size=3),
    "segment_sum": lambda k, x: k.ops.segment_sum(x("float32", None, 3), x("int32", None)),
    "segment_max": lambda k, x: k.ops.segment_max(
        x("float32", 5, 3), x("int32", 5), num_segments=4
    ),
    "padding to a target": lambda k, x: k.ops.image.pad_images(
        x("float32", None, None, None, 3), 1, 2, target_height=10, target_width=12
    ),
    "padding to a width": lambda k, x: k.ops.image.pad_images(
        x("float32", None, None, None, 3), 1, 2, 3, target_width=9
    ),
    "padding too wide": lambda k, x: k.ops.image.pad_images(
        x("float32", None, None, 40, 3), 1, 2, target_height=10, target_width=10
    ),
    "cropping to a target": lambda k, x: k.ops.image.crop_images(
        x("float32", None, None, None, 3), 1, 2, target_height=300, target_width=400
    ),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_shapes_that_depend_on_values(name):
    def shapes(k):
        symbolic = lambda dtype, *shape: k.KerasTensor(shape, dtype)
        try:
            result = UNKNOWN[name](k, symbolic)
        except ValueError:
            return "refused"
        parts = result if isinstance(result, tuple) else (result,)
        return [(tuple(p.shape), p.dtype) for p in parts]

    assert shapes(kerasish) == shapes(keras)
