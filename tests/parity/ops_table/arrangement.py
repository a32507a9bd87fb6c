"""Functions that make, join, cut, order and index tensors."""

from __future__ import annotations

import itertools

import numpy as np

from .entries import Fixed, call, entry, mark, spec, use
from .inputs import (
    DTYPES,
    FLAGS,
    FLOATS,
    NOTHING,
    SHAPES,
    A,
    B,
    C,
    I,
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

for _dtype in FLOATS:
    spec("ops: diff tril", typed(_dtype, 3, 4))

mark("ops: concatenate", wider="a tensor is taken for the sequence of its slices")
mark("ops: pad", wider="a width for each axis may be written ((1,), (2,)), as in NumPy")
mark("ops: meshgrid", wider="Keras's inference takes no Python numbers")
entry("ops.repeat").differs = {
    "float32[3,4],[1,2],axis=0:unknown": "two numbers of repeats say that the axis has two rows"
}
