"""Functions that make, join, cut, order and index tensors."""

from __future__ import annotations

import itertools

import numpy as np

from .entries import Fixed, call, entry, mark, spec, use
from .inputs import (
    DTYPES,
    FLAGS,
    FLOATS,
    HOLED,
    NOTHING,
    SHAPES,
    A,
    B,
    C,
    I,
    J,
    V,
    as_type,
    draw,
    typed,
    whole,
)  # fmt: skip

X4 = draw(2, 1, 3, 4)
U8 = whole(3, 4, dtype="uint8")

# -- making

for _shape in ((2, 3), (), (0, 2), [2, 1], (2, 3, 1, 2)):
    call("ops: zeros ones", _shape)
    call("ops: empty", _shape)
    call("ops: full", _shape, 7)
call("ops: zeros ones empty", 3)
for _dtype in [*DTYPES, "int64", "float64", "complex64", None]:
    call("ops: zeros ones empty", (2, 3), dtype=_dtype)
    call("ops: full", (2, 3), 1, dtype=_dtype)
    call("ops: eye tri identity", 3, dtype=_dtype)
call("ops: zeros ones empty full eye tri identity", "text")
call("ops: zeros ones empty", (2, -1))
call("ops: zeros ones empty", (2, 3), dtype="other")
for _value in (2.5, True, 3, np.float32(2), np.int8(2), draw(3), whole(3, dtype="int8"), [1, 2, 3]):
    call("ops: full", (2, 3), _value)
call("ops: full", (2, 3), draw(2))
for _args in [(3, 4), (3, 2, 1), (4, 4, -2), (3, None, 1), (0,), (2, 3, 5)]:
    call("ops: eye tri", *_args)
call("ops: identity", 0)
call("ops: eye tri identity", 2.5)
for _args in [
    (5,),
    (1, 4),
    (1, 6, 2),
    (5, 1, -2),
    (3.0,),
    (1.0, 2.0, 0.25),
    (1, 3, 0.5),
    (2, 2),
    (3, 1),
    (np.int16(3),),
    (0, 1, 0.3),
]:
    call("ops: arange", *_args)
for _dtype in ("int32", "float32", "uint8", "float16", "bool", "int64"):
    call("ops: arange", 2, dtype=_dtype)
    call("ops: arange", 0.5, 2.5, dtype=_dtype)
call("ops: arange", 1, 3, 0)
call("ops: arange", "text")
for _args in [(0.0, 1.0), (0, 5, 3), (0, -5, 3), (2, 2, 4), (0, 1, 1), (0, 1, 0)]:
    call("ops: linspace logspace", *_args)
call("ops: linspace", 0, 5, 4, endpoint=False)
call("ops: linspace", 0, 5, 4, retstep=True)
call("ops: linspace", 0, 5, 4, endpoint=False, retstep=True)
call("ops: linspace", 0, -5, 3, dtype="int32")
call("ops: linspace", draw(3), draw(3, seed=1), 4)
call("ops: linspace", draw(3), 2.0, 4, axis=-1)
call("ops: linspace", whole(3), whole(3, seed=1), 3)
call("ops: logspace", draw(3), draw(3, seed=1), 4, axis=-1)
call("ops: logspace", 0, 3, 4, base=2)
call("ops: logspace", 0, 3, 4, endpoint=False)
call("ops: logspace", 0, 3, 4, dtype="int32")
for _args in [(1.0, 8.0, 4), (1, 1000, 4), (8.0, 1.0, 4), (-1.0, -8.0, 3), (1, 2, 1)]:
    call("ops: geomspace", *_args)
call("ops: geomspace", 1, 16, 4, endpoint=False)
call("ops: geomspace", 1, 8, 4, dtype="float16")
call("ops: geomspace", draw(3, low=1), draw(3, low=3, high=6), 3)
call("ops: geomspace", draw(3, low=1), draw(3, low=3, high=6), 3, axis=-1)
call("ops: linspace logspace geomspace", 1.0, 2.0, -1)
mark("ops: logspace geomspace", tolerance=2e-4)
call("ops: meshgrid", V, draw(3))
call("ops: meshgrid", V, draw(3), indexing="ij")
call("ops: meshgrid", V, draw(3), draw(2))
call("ops: meshgrid", whole(2), draw(3), indexing="ij")
call("ops: meshgrid", V)
call("ops: meshgrid", V, 2.0)
call("ops: meshgrid", V, V, indexing="other")
call("ops: meshgrid", A, V)
for _window in ("bartlett", "blackman", "hamming", "hanning"):
    for _size in (6, 5, 1, 0, 2):
        call(f"ops: {_window}", _size)
    call(f"ops: {_window}", Fixed(np.array(4)))
for _size in (6, 5, 1, 0):
    call("ops: kaiser", _size, 3.0)
call("ops: kaiser", 5, 0)
call("ops: kaiser", 5, 14)
mark("ops: bartlett blackman hamming hanning kaiser", tolerance=1e-4)

for _value in (
    A,
    2,
    2.5,
    True,
    [1, 2],
    [1.5, 2],
    (True, False),
    np.arange(3),
    np.ones(2),
    np.float16(1),
    [A, B],
    U8,
):
    call("ops: array convert_to_tensor", _value)
    call("ops: convert_to_numpy", _value)
    for _dtype in ("float32", "int32", "float16", "bool"):
        spec("ops: array convert_to_tensor", _value, dtype=_dtype)
call("ops: array convert_to_tensor convert_to_numpy", [[1, 2], [3]])
call("ops: array convert_to_tensor", None)
mark("ops: convert_to_numpy", symbolic=False, trace=False, gradient="")
for _value in (A, I, FLAGS, draw(), NOTHING, X4, U8):
    spec("ops: shape ndim size dtype", _value)
spec("ops: shape ndim size dtype", [1.0, 2.0])
spec("ops: shape ndim size dtype", 2)
call("ops: dtype", as_type(V, "bfloat16"))
spec("ops: is_tensor", A)
spec("ops: is_tensor", 2)
spec("ops: is_tensor", [1])
spec("ops: is_tensor", None)
spec("ops: is_tensor", "text")
use("ops.is_tensor", "of a tensor", lambda k, x: k.ops.is_tensor(k.ops.convert_to_tensor(x)), A)
mark("ops: is_tensor", symbolic=False)
mark("ops: shape ndim size dtype is_tensor", batch=False)
for _name in ("ops.shape", "ops.dtype"):
    entry(_name).differs = dict.fromkeys(
        ["[1.0,2.0]", "2"], "Keras takes nothing without a shape; ours takes all it can convert"
    )
entry("ops.saturate_cast").differs = {
    "int32[4],'float32'": "Keras clips to the limits of the wrong dtype and overflows",
}

for _from, _to in itertools.product([*DTYPES, "int64", "float64"], [*DTYPES, "int16", "uint32"]):
    _x = typed(_from, 4, low=0) if _from in DTYPES else np.arange(4).astype(_from)
    (call if _from in ("float32", "int32", "bool") else spec)("ops: cast saturate_cast", _x, _to)
call("ops: saturate_cast", draw(3, 4, low=-500, high=500), "uint8")
call("ops: saturate_cast", draw(3, 4, low=-500, high=500), "int8")
call("ops: saturate_cast", whole(3, 4, low=-500, high=500), "uint8")
call("ops: saturate_cast", np.array([1e6, -1e6, 3], "float32"), "float16")
call("ops: cast saturate_cast", A, "other")
call("ops: cast", A, None)
spec("ops: cast", 2, "float32")
spec("ops: cast", [1, 2], "float16")
call("ops: view", A, "int32")
call("ops: view", A, "uint8")
call("ops: view", A)
call("ops: view", whole(3, 4, dtype="int8"), "int32")
call("ops: view", whole(3, 4, dtype="int8"), "float16")
call("ops: view", draw(3, 3), "other")
mark("ops: view", gradient="")

# -- shape

for _shape in [
    (4, 3),
    (-1, 2),
    (12,),
    -1,
    12,
    (2, -1, 3),
    (5, 2),
    (-1, -1),
    (3, None),
    (),
    "a",
    [2, 6],
]:
    call("ops: reshape", A, _shape)
for _dtype in DTYPES:
    spec("ops: reshape", typed(_dtype, 3, 4), (2, 6))
spec("ops: reshape", NOTHING, (2, 0))
spec("ops: reshape", NOTHING, (-1, 4))
spec("ops: reshape", draw(), (1, 1))
call("ops: transpose", A)
for _axes in [(0, 3, 1, 2), (3, 2, 1, 0), None, (0, -1, 1, 2), (0, 1), (0, 0, 1, 2), [1, 0, 2, 3]]:
    call("ops: transpose", X4, axes=_axes)
for _shape in SHAPES:
    spec("ops: transpose", draw(*_shape))
for _pair in [(0, 1), (1, 2), (-1, 0), (2, 2), (0, 4), (-5, 0)]:
    call("ops: swapaxes", X4, *_pair)
    call("ops: moveaxis", X4, *_pair)
call("ops: moveaxis", X4, (0, 1), (-1, -2))
call("ops: moveaxis", X4, [0], [2])
call("ops: moveaxis", X4, (0, 1), (2,))
call("ops: moveaxis", X4, (0, 0), (1, 2))
for _axis in [0, 1, -1, 2, (0, -1), (0, 1), [0, 2], 4, -4, (0, 0), None]:
    call("ops: expand_dims", A, _axis)
for _axis in [None, 1, -3, (1,), 0, (0, 1), 5]:
    call("ops: squeeze", X4, _axis)
call("ops: squeeze", draw(1, 3, 1), (0, -1))
call("ops: squeeze", draw(1, 3, 1))
for _shape in [(2, 3, 4), (3, 4), (5, 3, 4), (3, 1), (4,), (2, -1, 4), [1, 3, 4], 4]:
    call("ops: broadcast_to", A, _shape)
call("ops: broadcast_to", draw(3, 1), (3, 4))
call("ops: broadcast_to", draw(), (2,))
for _dtype in DTYPES:
    spec("ops: broadcast_to", typed(_dtype, 4), (3, 4))
    spec("ops: swapaxes", typed(_dtype, 3, 4), 0, 1)
    spec("ops: expand_dims", typed(_dtype, 3, 4), 0)
for _axis in (None, 0, 1, -1, (0, 1), 3):
    call("ops: flip", A, axis=_axis)
call("ops: fliplr flipud", A)
call("ops: fliplr flipud", X4)
call("ops: fliplr flipud", V)
call("ops: fliplr flipud flip", draw())
for _k, _axes in itertools.product((0, 1, 2, 3, -1, 5), ((0, 1), (1, 2), (-1, 0))):
    call("ops: rot90", C, k=_k, axes=_axes)
call("ops: rot90", A)
call("ops: rot90", V)
call("ops: rot90", C, axes=(0, 0))
call("ops: rot90", C, axes=(0,))
call("ops: rot90", C, axes=(0, 5))
for _shift, _axis in [
    (1, None),
    (4, None),
    (-1, 0),
    (2, -1),
    ((1, 2), (0, 1)),
    ((1, 2), 1),
    (1, (0, 1)),
    (1, 3),
    (20, 1),
]:
    call("ops: roll", A, _shift, axis=_axis)
for _repeats in [2, (2, 1), (2,), (1, 2, 3), (0, 1), [2, 2], (2.5,)]:
    call("ops: tile", A, _repeats)
for _repeats, _axis in [(2, None), (2, 0), (3, -1), (0, 1), (2, 4)]:
    call("ops: repeat", A, _repeats, axis=_axis)
call("ops: repeat", A, Fixed(np.array([1, 2, 0])), axis=0)
call("ops: repeat", A, [1, 2, 1], axis=0)
call("ops: repeat", A, [1, 2], axis=0)
call("ops: repeat", V, Fixed(np.array([2])))
for _dtype in DTYPES:
    spec("ops: tile", typed(_dtype, 3, 4), 2)
    spec("ops: repeat", typed(_dtype, 3, 4), 2, axis=0)
    spec("ops: roll", typed(_dtype, 3, 4), 1)
    spec("ops: flip", typed(_dtype, 3, 4))
_WIDTHS = [
    1,
    (1, 2),
    ((1, 2), (0, 1)),
    ((1,), (2,)),
    ((0, 0), (0, 0)),
    ((1, 2),),
    ((1, 1), (1, 1), (1, 1)),
    -1,
]
for _width in _WIDTHS:
    call("ops: pad", A, _width)
for _mode in ("constant", "reflect", "symmetric", "edge", "wrap", "other", "empty", "linear_ramp"):
    call("ops: pad", A, ((1, 2), (0, 1)), mode=_mode)
call("ops: pad", A, 1, constant_values=3.0)
call("ops: pad", A, 1, mode="reflect", constant_values=3.0)
call("ops: pad", I, 1, constant_values=2)
call("ops: pad", A, 1, "constant", V[0])
for _dtype in DTYPES:
    call("ops: pad", typed(_dtype, 3, 4), 1)
spec("ops: pad", draw(), 1)

# -- joining and cutting

JOIN = "ops: concatenate stack hstack vstack dstack"
call(JOIN, [A, B])
call(JOIN, (A, B, A))
call(JOIN, [A])
call(JOIN, [])
call(JOIN, [V, V])
call(JOIN, [C, C])
call(JOIN, [X4, X4])
call(JOIN, [draw(), draw(seed=1)])
call(JOIN, [A, draw(3, 2)])
call(JOIN, [A, V])
call(JOIN, A)
for _axis in (0, 1, -1, 2, -3, 5, None):
    call("ops: concatenate stack", [A, B], axis=_axis)
for _first, _second in itertools.product(DTYPES, DTYPES):
    spec(JOIN, [typed(_first, 3, 4), typed(_second, 3, 4)])
spec(JOIN, [[1.0, 2.0], [3, 4]])
spec("ops: stack", [1, 2.5])
spec("ops: concatenate", [NOTHING, A])
for _axis in (None, 0, 1, -1, 3):
    call("ops: append", A, B, axis=_axis)
call("ops: append", A, V)
call("ops: append", A, V, axis=0)
call("ops: append", I, A)
for _parts in (2, 3, [1], [1, 4], [2, 2], (0, 3), [], 5, 0, 2.0, [-1]):
    for _axis in (0, 1, -1):
        call("ops: split array_split", draw(6, 6), _parts, axis=_axis)
call("ops: split array_split", A, 2, axis=3)
call("ops: array_split", draw(7, 3), 3)
call("ops: array_split", draw(2, 3), 4)
call("ops: split array_split", draw(), 1)
for _name in ("hsplit", "vsplit", "dsplit"):
    for _parts in (2, [1], [1, 3], 3):
        call(f"ops: {_name}", draw(4, 4, 4), _parts)
    call(f"ops: {_name}", V, 2)
    call(f"ops: {_name}", A, 2)
    call(f"ops: {_name}", draw(), 2)
for _axis in (0, 1, -1, 2):
    call("ops: unstack", A, axis=_axis)
call("ops: unstack", A, num=3)
call("ops: unstack", A, num=2)
call("ops: unstack", V)
call("ops: unstack", draw())

# -- diagonals and triangles

for _k in (0, 1, -1, 5, -5):
    call("ops: tril triu", A, k=_k)
    call("ops: tril triu", C, k=_k)
    call("ops: diag", A, k=_k)
    call("ops: diag diagflat", V, k=_k)
    call("ops: diagflat", draw(2, 2), k=_k)
    call("ops: diagonal trace", A, offset=_k)
for _axes in [(0, 1), (1, 2), (-1, 0), (0, 0), (0, 3)]:
    call("ops: diagonal trace", C, axis1=_axes[0], axis2=_axes[1])
call("ops: diagonal trace tril triu", V)
call("ops: tril triu diag diagflat", draw())
call("ops: diag", C)
for _dtype in DTYPES:
    call("ops: diagonal trace tril triu diag diagflat", typed(_dtype, 3, 4))
spec("ops: diagonal trace tril triu", NOTHING)
for _N, _up in [(None, False), (3, False), (2, True), (0, False), (6, True)]:
    call("ops: vander", V, N=_N, increasing=_up)
call("ops: vander", whole(4))
call("ops: vander", A)
call("ops: vander", V, N=-1)
call("ops: vander", V, N=2.5)
for _dtype in DTYPES:
    spec("ops: vander", typed(_dtype, 4))
for _n, _axis in [(1, -1), (2, -1), (1, 0), (0, 0), (3, 1), (5, 1), (-1, 1), (1, 2)]:
    call("ops: diff", A, n=_n, axis=_axis)
for _dtype in DTYPES:
    call("ops: diff", typed(_dtype, 3, 4))
call("ops: diff", draw())
call("ops: diff", NOTHING)

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
for _dtype in FLOATS:
    spec("ops: diff tril", typed(_dtype, 3, 4))

mark("ops: concatenate", wider="a tensor is taken for the sequence of its slices")
mark("ops: pad", wider="a width for each axis may be written ((1,), (2,)), as in NumPy")
mark("ops: meshgrid", wider="Keras's inference takes no Python numbers")
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
entry("ops.repeat").differs = {
    "float32[3,4],[1,2],axis=0:unknown": "two numbers of repeats say that the axis has two rows"
}
mark("ops: slice_update slice", batches=1)
entry("ops.where").differs = {"bool[3,4]:compiled": "the places need the values"}
entry("ops.unravel_index").differs = dict.fromkeys(
    ["float32[4],[3,4]", "float32[4],[3,4]:gradient"],
    "Keras returns fractions of rows for fractions; ours are rows",
)
mark("ops: segment_prod", gradient="")  # which JAX has not
