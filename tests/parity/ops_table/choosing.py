"""Functions that order, choose and index elements."""

from __future__ import annotations

import itertools

import numpy as np

from .entries import Fixed, call, entry, mark, spec
from .inputs import (
    DTYPES,
    FLAGS,
    HOLED,
    NOTHING,
    SHAPES,
    A,
    B,
    I,
    J,
    V,
    draw,
    typed,
    whole,
)  # fmt: skip

# -- order

for _axis in (-1, 0, 1, None, 2):
    call("ops: sort argsort", A, axis=_axis)
call("ops: sort argsort", HOLED)
for _dtype in DTYPES:
    call("ops: sort argsort", typed(_dtype, 3, 4))
    spec("ops: top_k", typed(_dtype, 3, 4), 2)
    spec("ops: argpartition", typed(_dtype, 3, 4), 1)
for _shape in SHAPES:
    spec("ops: sort argsort", draw(*_shape))
spec("ops: sort argsort", NOTHING)
call("ops: sort argsort", np.array([0.0, -0.0, 1, 1, -np.inf, np.nan], "float32"))
for _k in (1, 2, 4, 0, 5, -1):
    call("ops: top_k", A, _k)
call("ops: top_k", A, 2, sorted=False)
call("ops: top_k", HOLED, 2)
call("ops: top_k", np.array([3, 1, 3, 2], "int32"), 3)
call("ops: top_k", draw(), 1)
for _k, _axis in [(1, -1), (0, 0), (2, 1), (-1, 1), (7, 1), (1, None), (1, 3)]:
    call("ops: argpartition", A, _k, axis=_axis)
call("ops: in_top_k", np.array([0, 2, 3], "int32"), A, 2)
call("ops: in_top_k", np.array([0, 5, -1], "int32"), A, 2)
call("ops: in_top_k", np.array([0, 2, 3]), HOLED, 1)
call("ops: in_top_k", np.array([0, 2, 3], "int32"), A, 9)
call("ops: in_top_k", np.array([0, 2], "int32"), A, 1)
call("ops: in_top_k", np.array([0, 1, 2], "int32"), np.zeros((3, 4), "float32"), 2)
_EDGES = np.array([-1.0, 0.0, 1.0], "float32")
for _side in ("left", "right", "other"):
    call("ops: searchsorted", _EDGES, A, side=_side)
call("ops: searchsorted", _EDGES, 0.0)
call("ops: searchsorted", _EDGES, HOLED)
call("ops: searchsorted", A, V)
call("ops: searchsorted", np.arange(4), np.array([1, 7]))
call("ops: searchsorted", np.arange(4), V)
call("ops: digitize", A, _EDGES)
call("ops: digitize", A, [0.0, 0.5])
call("ops: digitize", I, np.array([2, 4]))
call("ops: digitize", A, B)
call("ops: digitize", _EDGES, _EDGES)
call("ops: digitize", 0.5, _EDGES)
for _dtype in DTYPES:
    spec("ops: digitize", typed(_dtype, 4), _EDGES)
for _options in [{}, {"minlength": 9}, {"weights": V}, {"weights": draw(4, low=1), "minlength": 3}]:
    call("ops: bincount", whole(4), **_options)
call("ops: bincount", whole(2, 4))
call("ops: bincount", whole(2, 4), weights=draw(2, 4), minlength=8)
call("ops: bincount", whole(4), weights=whole(4))
call("ops: bincount", whole(4, dtype="uint8"))
call("ops: bincount", V)
call("ops: bincount", np.array([0, -1], "int32"))
call("ops: bincount", np.zeros(0, "int32"))
call("ops: bincount", whole(4), minlength=-1)
mark("ops: bincount", trace=False, gradient="")
for _options in [
    {}, {"return_index": True}, {"return_inverse": True}, {"return_counts": True},
    {"return_index": True, "return_inverse": True, "return_counts": True}, {"axis": 0},
    {"axis": 1, "return_counts": True}, {"size": 3}, {"size": 9}, {"size": 9, "fill_value": 7},
    {"size": 9, "return_counts": True, "return_index": True}, {"sorted": False}, {"axis": 4},
    {"size": 3, "axis": 0, "fill_value": 1}, {"size": 4, "axis": -1}, {"size": 2, "axis": 1},
    {"size": 2, "return_index": True, "return_inverse": True, "return_counts": True},
]:  # fmt: skip
    call("ops: unique", np.array([[3, 1, 1], [2, 3, 5], [3, 1, 1]], "int32"), **_options)
call("ops: unique", np.array([2.0, 1.0, np.nan, np.nan], "float32"))
call("ops: unique", FLAGS)
call("ops: unique", np.zeros(0, "float32"))
mark("ops: unique", gradient="")
entry("ops.unique").differs = {
    f"{_case.label}:compiled": "the number of different elements needs the values"
    for _case in entry("ops.unique").cases
    if "size=" not in _case.label or "axis=" in _case.label
    if _case.label != "int32[3,3],axis=4"
}
for _value in (I - 2, A, FLAGS, V, np.zeros(3, "float32"), NOTHING):
    call("ops: nonzero", np.asarray(_value))
call("ops: nonzero", draw())
mark("ops: nonzero", trace=False, gradient="")

# -- choosing

call("ops: where", FLAGS, A, B)
call("ops: where", FLAGS, A, 0)
call("ops: where", FLAGS, I, 0)
call("ops: where", FLAGS, 1, 2.5)
call("ops: where", FLAGS)
call("ops: where", FLAGS, A)
call("ops: where", I, A, B)
call("ops: where", True, A, B)
call("ops: where", draw(4) > 0, A, draw(3, 1))
call("ops: where", np.array([True, False]), np.array([1, np.inf], "float32"), V[:2])
for _first, _second in itertools.product(DTYPES, DTYPES):
    spec("ops: where", FLAGS[0], typed(_first, 4), typed(_second, 4))
spec("ops: where", FLAGS, A, draw(5))
mark("ops: where", trace=True)
call("ops: select", [A > 1, A < -1], [A, B], default=7.0)
call("ops: select", [A > 1], [A])
call("ops: select", (A > 1, A > 0), (I, J), 3)
call("ops: select", [A > 1], [A, B])
call("ops: select", [A > 1], [3])
call("ops: select", [A > 1], [V], 2)
call("ops: select", [], [])
call("ops: select", A > 1, A)
for _first, _second in itertools.product(DTYPES, DTYPES):
    spec("ops: select", [FLAGS, ~FLAGS], [typed(_first, 3, 4), typed(_second, 3, 4)])
for _low, _high in [
    (-0.5, 0.5),
    (0, 1),
    (-1.0, None),
    (None, 1.0),
    (1, -1),
    (draw(4), 1.0),
    (None, None),
    (np.float32(0), np.float32(1)),
]:
    call("ops: clip", A, _low, _high)
call("ops: clip", np.array([-1, 0, 1, np.nan, np.inf], "float32"), -1.0, 1.0)
for _dtype in DTYPES:
    spec("ops: clip", typed(_dtype, 4), 0, 1)
    spec("ops: clip", typed(_dtype, 4), 0.5, 1.5)
    spec("ops: clip", typed(_dtype, 4), typed("float16", 4), 5)
call("ops: isin", I, J[0])
call("ops: isin", I, J[0], invert=True)
call("ops: isin", I, J[0], assume_unique=True)
call("ops: isin", A, V)
call("ops: isin", I, 3)
call("ops: isin", I, [1, 2])
call("ops: isin", A, np.array([np.nan], "float32"))
for _dtype in DTYPES:
    spec("ops: isin", typed(_dtype, 3, 4), whole(4))
for _shape in [(3, 4), (12,), [2, 3, 2], 12]:
    call("ops: unravel_index", np.array([3, 7], "int32"), _shape)
call("ops: unravel_index", np.array([[3, 7], [0, 11]], "int32"), (3, 4))
call("ops: unravel_index", 5, (3, 4))
call("ops: unravel_index", np.array([-1, 20], "int32"), (3, 4))
call("ops: unravel_index", V, (3, 4))
for _dtype in ("int8", "uint8", "int64"):
    call("ops: unravel_index", np.array([3, 7], _dtype), (3, 4))

# -- indexing

_PLACES = np.array([0, 2, 1], "int32")
for _axis in (None, 0, 1, -1, 2):
    call("ops: take", A, _PLACES, axis=_axis)
for _index in (
    np.array([[0, 2], [1, 1]], "int32"),
    2,
    [0, -1],
    np.array([0, 5, -1, -7], "int32"),
    np.zeros(0, "int32"),
    np.array([1, 0]),
):
    call("ops: take", A, _index, axis=0)
    call("ops: take", A, _index)
call("ops: take", I, np.array([0, 9], "int32"), axis=1)
call("ops: take", A, V)
call("ops: take", A, np.array([True, False, True]), axis=0)
for _dtype in DTYPES:
    spec("ops: take", typed(_dtype, 3, 4), _PLACES)
    spec("ops: take_along_axis", typed(_dtype, 3, 4), np.zeros((3, 2), "int32"), axis=1)
_ORDER = np.argsort(A, -1)[:, :2].astype("int32")
for _axis in (1, -1, 0, 2):
    call("ops: take_along_axis", A, _ORDER, axis=_axis)
call("ops: take_along_axis", A, np.array([1, 5, 11], "int32"))
call("ops: take_along_axis", A, np.array([[5, -1]], "int32"), axis=1)
call("ops: take_along_axis", A, np.array([1], "int32"), axis=1)
call("ops: take_along_axis", A, draw(3, 2), axis=1)
for _key in [
    0, -1, (slice(None), 1), slice(1, None), slice(None, None, -1), slice(0, 3, 2), None, Ellipsis,
    (Ellipsis, 0), (None, 1, slice(1, 3)), (0, 1), 5, (0, 0, 0), [0, 2],
    ([0, 1], [1, 2]), slice(5, 9),
]:  # fmt: skip
    call("ops: get_item", A, _key)
call("ops: get_item", A, _PLACES)
call("ops: get_item", A, Fixed(np.asarray(FLAGS)))
for _start, _shape in [
    ((1, 0), (2, 3)),
    ((0, 0), (3, 4)),
    ((1, 2), (1, 2)),
    ((2, 3), (2, 2)),
    ((-1, 0), (1, 2)),
    ((0,), (2,)),
    ([1, 1], [1, 1]),
    ((0, 0), (4, 4)),
]:
    call("ops: slice", A, _start, _shape)
call("ops: slice", A, np.array([1, 0], "int32"), (2, 3))
call("ops: slice", I, (0, 0), (1, 1))
for _start, _updates in [
    ((1, 0), B[:2, :3]),
    ((0, 0), B),
    ((2, 3), B[:1, :1]),
    ((2, 3), B[:2, :2]),
    ((-1, 0), B[:1]),
    ((0, 0), V),
    ((0, 0), I[:2, :2]),
    ((0, 0), draw(4, 4)),
]:
    call("ops: slice_update", A, _start, np.ascontiguousarray(_updates))
call("ops: slice_update", A, np.array([1, 0], "int32"), np.ascontiguousarray(B[:2, :3]))
for _rows, _values, _shape in [
    ([[0], [2]], draw(2, 4), (4, 4)), ([[0], [5], [-1]], draw(3), (3,)), ([[0], [0]], draw(2),
    (3,)),
    ([[0, 1], [1, 1]], draw(2), (2, 2)), ([[0, 1], [1, 1]], draw(3), (2, 2)),
    ([0, 1], draw(2), (3,)),
    ([[0], [1]], whole(2), (3,)), ([[[0], [1]]], draw(1, 2), (3,)),
]:  # fmt: skip
    call("ops: scatter", np.array(_rows, "int32"), _values, _shape)
for _reduction in (None, "add", "max", "min", "mul", "other"):
    call(
        "ops: scatter_update", A, np.array([[0, 1], [2, 3]], "int32"), draw(2), reduction=_reduction
    )
    call("ops: scatter_update", A, np.array([[0], [2]], "int32"), draw(2, 4), reduction=_reduction)
    if _reduction:
        call(
            "ops: scatter_update",
            A,
            np.array([[0, 1], [0, 1]], "int32"),
            draw(2),
            reduction=_reduction,
        )
call("ops: scatter_update", A, np.array([[0, 5], [1, 1]], "int32"), draw(2))
call("ops: scatter_update", A, np.array([[0, 1], [1, -1]], "int32"), draw(2))
call("ops: scatter_update", A, [[0, 1]], [3.0])
call("ops: scatter_update", I, np.array([[0, 1]], "int32"), draw(1))
call("ops: scatter_update", A, np.array([[0, 1]], "int32"), whole(1))
call("ops: scatter_update", A, np.array([[0, 1]], "int32"), draw(3))
for _name in ("segment_sum", "segment_max", "segment_min", "segment_prod"):
    for _ids, _count in [
        ([0, 2, 1], 4),
        ([0, 0, 1], 2),
        ([0, 0, 2], None),
        ([0, -1, 5], 3),
        ([2, 0, 2], 3),
    ]:
        call(f"ops: {_name}", A, np.array(_ids, "int32"), num_segments=_count)
    call(f"ops: {_name}", A, np.array([0, 0, 1], "int32"), num_segments=2, sorted=True)
    call(f"ops: {_name}", draw(3), np.array([1, 0, 1], "int32"), num_segments=3)
    for _dtype in DTYPES:
        call(f"ops: {_name}", typed(_dtype, 3, 4), np.array([0, 0, 2], "int32"), num_segments=4)
    call(f"ops: {_name}", A, np.array([0, 1], "int32"), num_segments=2)
    call(f"ops: {_name}", A, np.array([[0, 1, 1]], "int32"), num_segments=2)
for _axis, _dtype in [
    (-1, None),
    (0, None),
    (1, "int32"),
    (-1, "bool"),
    (2, None),
    (-2, "float16"),
    (5, None),
]:
    call("ops: one_hot", whole(2, 3), 4, axis=_axis, dtype=_dtype)
    call("ops: multi_hot", whole(2, 3), 4, axis=_axis, dtype=_dtype)
call("ops: one_hot multi_hot", whole(3), 4)
call("ops: one_hot multi_hot", whole(), 4)
call("ops: one_hot multi_hot", np.array([0, 3, -1, 7], "int32"), 4)
call("ops: one_hot multi_hot", whole(2, 3, 1), 4)
call("ops: one_hot multi_hot", 2, 4)
call("ops: one_hot multi_hot", V, 4)
call("ops: multi_hot", whole(2, 3), num_tokens=4)
for _dtype in ("uint8", "int8", "int64", "bool"):
    spec("ops: one_hot multi_hot", np.array([0, 1]).astype(_dtype), 4)
mark("ops: take_along_axis get_item", trace=True)
mark(
    "ops: segment_sum segment_max segment_min segment_prod",
    wider="JAX needs num_segments; ours counts the segments, as Keras does on other backends",
)
for _name in ("segment_sum", "segment_max", "segment_min", "segment_prod"):
    _counted = "float32[3,4],int32[3],num_segments=None"
    entry(f"ops.{_name}").differs = {
        f"{_counted}:{aspect}": "counting needs the values" for aspect in ("compiled",)
    }
entry("ops.get_item").differs = {"float32[3,4],5": "JAX takes the last row; ours refuses"}


def partitioned(case, result):
    """The elements of each side of the place `kth`, sorted."""
    x, kth = case.args
    axis = case.kwargs["axis"]
    x, axis = (x.ravel(), 0) if axis is None else (x, axis)
    if np.shape(result) != x.shape:
        return result
    found = np.take_along_axis(x, np.asarray(result), axis)
    low, high = np.split(found, [kth % x.shape[axis]], axis)
    return [result.dtype.name, np.sort(low, axis), np.sort(high, axis)]


mark("ops: argpartition", canonical=partitioned)

mark("ops: get_item", wider="Keras's inference takes no slice of an axis of unknown size")
mark("ops: slice_update slice", batches=1)
entry("ops.where").differs = {"bool[3,4]:compiled": "the places need the values"}
entry("ops.unravel_index").differs = dict.fromkeys(
    ["float32[4],[3,4]", "float32[4],[3,4]:gradient"],
    "Keras returns fractions of rows for fractions; ours are rows",
)
mark("ops: segment_prod", gradient="")  # which JAX has not
