"""Functions of each element, of one operand or two."""

from __future__ import annotations

import itertools

import numpy as np

from .entries import call, entry, expand, mark, spec
from .inputs import (
    DTYPES,
    FLAGS,
    FLOATS,
    NOTHING,
    POINTS,
    SHAPES,
    A,
    B,
    I,
    J,
    V,
    draw,
    typed,
    whole,
)

ACTIVATIONS = (
    "relu relu6 sigmoid log_sigmoid softplus softsign silu swish selu hard_sigmoid hard_silu "
    "hard_swish hard_tanh tanh tanh_shrink sparse_plus sparse_sigmoid leaky_relu elu celu gelu "
    "soft_shrink hard_shrink squareplus"
)
ANYWHERE = (
    f"ops: {ACTIVATIONS} abs absolute arctan arcsinh ceil cos cosh exp exp2 expm1 floor isfinite "
    "isinf isnan isneginf isposinf isreal logical_not negative sign signbit sin sinc sinh square "
    "tan trunc cbrt deg2rad rad2deg fabs angle copy conj conjugate real imag round nan_to_num erf "
    "erfc i0 stop_gradient zeros_like ones_like empty_like ravel"
)
ROOM = f"activations: {ACTIVATIONS} exponential linear mish"
# From where to where they are defined.
BOUNDED = {
    "ops: log log10 log1p log2 sqrt rsqrt reciprocal": (0.2, 3.0),
    "ops: arccos arcsin arctanh erfinv": (-0.9, 0.9),
    "ops: arccosh": (1.1, 3.0),
}
WHOLE = "ops: bitwise_not bitwise_invert"


def _of_one(names: str, low: float, high: float) -> None:
    call(names, draw(3, 4, low=low, high=high))
    for shape in SHAPES:
        spec(names, draw(*shape, low=low, high=high))
    for dtype in DTYPES:
        call(names, typed(dtype, 4, low=low, high=high))
    spec(names, typed("int32", 2, 3).astype("int64"))
    spec(names, draw(2, 3, low=low, high=high).astype("float64"))
    call(names, POINTS)
    spec(names, NOTHING)
    spec(names, np.zeros((2, 0), "int32"))
    spec(names, np.float32(0.5))
    spec(names, [[0.5, 0.25]])
    for scalar in (1, 0.5, True):
        spec(names, scalar)
    spec(names, None)
    spec(names, "text")


_of_one(ANYWHERE, -2.0, 2.0)
_of_one(ROOM, -2.0, 2.0)
for _names, (_low, _high) in BOUNDED.items():
    _of_one(_names, _low, _high)
for _dtype in DTYPES:
    call(WHOLE, typed(_dtype, 4))
for _shape in SHAPES:
    spec(WHOLE, whole(*_shape))
spec(WHOLE, 3)

mark("ops: erfinv i0", tolerance=2e-4)
call("ops: round", A, decimals=1)
call("ops: round", I, decimals=-1)
call("ops: round", A, decimals=-1)
call("ops: nan_to_num", POINTS, nan=3.0, posinf=7.0, neginf=-7.0)
call("ops: zeros_like ones_like empty_like", A, dtype="int32")
spec("ops: zeros_like ones_like empty_like", I, dtype="bool")
call("ops: full_like", A, 2)
call("ops: full_like", I, 2.5)
call("ops: full_like", FLAGS, True)
call("ops: full_like", A, 3, dtype="uint8")
call("ops: full_like", A, V)
for _room in ("ops", "activations"):
    call(f"{_room}: leaky_relu", A, negative_slope=0.5)
    call(f"{_room}: leaky_relu", A, 0.0)
    call(f"{_room}: elu celu", A, alpha=0.5)
    call(f"{_room}: gelu", A, approximate=True)
    call(f"{_room}: gelu", A, approximate=False)
    call(f"{_room}: soft_shrink hard_shrink", A, threshold=1.0)
    call(f"{_room}: soft_shrink hard_shrink", A, 0.0)
    call(f"{_room}: squareplus", A, b=2)
    call(f"{_room}: threshold", A, 0.5, 7.0)
    call(f"{_room}: threshold", POINTS, 1, 2)
    for _dtype in DTYPES:
        spec(f"{_room}: threshold", typed(_dtype, 4), 0.5, 7.0)
        spec(f"{_room}: threshold", typed(_dtype, 4), 1, 2)
    for _axis in (-1, 0, 1):
        call(f"{_room}: glu", draw(4, 6, 4), axis=_axis)
    call(f"{_room}: glu", A)
    call(f"{_room}: glu", V)
    spec(f"{_room}: glu", draw(2, 3))
    spec(f"{_room}: glu", A, axis=3)
    for _dtype in DTYPES:
        spec(f"{_room}: glu", typed(_dtype, 3, 4))
    for _axis in (-1, 0, (0, 1), (-1, 0)):
        call(f"{_room}: softmax", A, axis=_axis)
        if not isinstance(_axis, tuple):
            call(f"{_room}: log_softmax sparsemax", A, axis=_axis)
    call(f"{_room}: log_softmax", A, axis=(0, 1))
    for _shape in SHAPES:
        spec(f"{_room}: softmax log_softmax sparsemax", draw(*_shape))
    spec(f"{_room}: softmax log_softmax sparsemax", A, axis=2)
    spec(f"{_room}: softmax", A, axis=None)
    call(f"{_room}: softmax log_softmax", np.array([[-np.inf, 0, 1], [1e30, 0, 1e30]], "float32"))
    for _dtype in FLOATS:
        call(f"{_room}: softmax log_softmax sparsemax", typed(_dtype, 3, 4))
    for _dtype in ("bool", "int32", "uint8"):
        spec(f"{_room}: softmax log_softmax sparsemax", typed(_dtype, 3, 4))
    spec(f"{_room}: softmax log_softmax sparsemax", NOTHING)
call("activations: relu", A, negative_slope=0.1)
call("activations: relu", A, max_value=1.0, threshold=0.5)
for _bend, _top in itertools.product((-0.5, 0.5), (None, 2.0)):
    call("activations: relu", POINTS, 0.1, _top, _bend)
call("activations: relu", A, negative_slope=np.float32(0.25))
call("activations: relu", I, max_value=3)

_WRAPPED = {"uint8[4]": "JAX negates the bytes first, which wraps around; ours are right"}
for _name in expand("ops: log_sigmoid hard_tanh") + expand("activations: log_sigmoid hard_tanh"):
    entry(_name).differs = _WRAPPED
_TAU = "Keras's threshold is wrong where more than one element is left: its sums are below 1"
for _name in ("ops.sparsemax", "activations.sparsemax"):
    entry(_name).differs = dict.fromkeys(
        [
            "float32[3,4],axis=-1",
            "float32[3,4],axis=-1:gradient",
            "float32[3,4],axis=0",
            "float32[3,4]#1",
            "float16[3,4]",
            "bfloat16[3,4]",
        ],
        _TAU,
    )
_BOOLEAN = "NumPy under JAX has no limits of bool; ours are left as they are"
entry("ops.round").differs = {"bool[4]": _BOOLEAN, "True": _BOOLEAN}
mark("activations: linear", batch=False)

# -- of two

ARITHMETIC = (
    "ops: add subtract multiply true_divide divide floor_divide mod power maximum minimum arctan2 "
    "logaddexp logaddexp2 hypot fmod fmax fmin divide_no_nan equal not_equal less less_equal "
    "greater greater_equal logical_and logical_or logical_xor isclose heaviside nextafter"
)
BITS = (
    "ops: bitwise_and bitwise_or bitwise_xor left_shift right_shift bitwise_left_shift "
    "bitwise_right_shift gcd lcm"
)
_GRID = np.array([-2, -1, -0.0, 0.5, 1, 3, np.inf, np.nan], "float32")
_LEFT, _RIGHT = (g.ravel().copy() for g in np.meshgrid(_GRID, _GRID, indexing="ij"))
_SIGNED = [whole(8, low=-7, high=8, seed=s) for s in (0, 1)]
_DIVISOR = np.where(_SIGNED[1] == 0, 3, _SIGNED[1]).astype("int32")

call(ARITHMETIC, draw(3, 4, low=0.2, high=2.0), draw(3, 4, low=0.3, high=2.0, seed=1))
call(ARITHMETIC, A, B)
call(ARITHMETIC, _LEFT, _RIGHT)
call(ARITHMETIC, A, 2)
call(ARITHMETIC, A, 1.5)
call(ARITHMETIC, 2, B)
call(ARITHMETIC, I, J)
call(ARITHMETIC.replace("power ", ""), _SIGNED[0], _DIVISOR)
call(ARITHMETIC, I, B)
call(BITS, I, J)
call(BITS, FLAGS, FLAGS)
call(BITS, I, 2)
for _first, _second in itertools.product(DTYPES, DTYPES):
    spec(f"{ARITHMETIC} ldexp", typed(_first, 2, 3, low=1), typed(_second, 2, 3, low=1))
    if _first not in FLOATS and _second not in FLOATS:
        spec(BITS, typed(_first, 2, 3), typed(_second, 2, 3))
for _dtype, _scalar in itertools.product(DTYPES, (True, 2, 2.5)):
    spec(f"{ARITHMETIC} ldexp", typed(_dtype, 4, low=1), _scalar)
    spec(f"{ARITHMETIC} ldexp", _scalar, typed(_dtype, 4, low=1))
for _pair in [(3, 2), (3, 2.5), (2.5, 2), (True, False), (True, 3)]:
    spec(ARITHMETIC, *_pair)
spec(BITS, 6, 4)
spec(BITS, A, B)
for _one, _other in [
    ((), (3, 4)), ((4,), (3, 4)), ((3, 1), (1, 4)), ((2, 1, 4), (3, 1)), ((2, 3, 4), ()),
    ((2, 1, 3, 4), (5, 1, 4)), ((0, 4), (4,)), ((3, 4), (3,)), ((2, 3), (3, 2)), ((), ()),
]:  # fmt: skip
    spec(f"{ARITHMETIC} ldexp allclose", draw(*_one), draw(*_other, seed=1))
    spec(BITS, whole(*_one), whole(*_other))
spec(ARITHMETIC, A, [1.0, 2.0, 3.0, 4.0])
spec(ARITHMETIC, A, np.float32(2))
spec(ARITHMETIC, I, np.float32(2))
spec(ARITHMETIC, A, np.arange(4))
spec(ARITHMETIC, A, np.ones(4))
spec(ARITHMETIC, A, None)
spec(ARITHMETIC, A, "text")
for _exponent in (0, 1, 2, 3, 0.5, -1, 2.5):
    call("ops: power", draw(4, low=0.5), _exponent)
spec("ops: power", I, -1)
call("ops: ldexp", A, J)
call("ops: ldexp", A, np.asarray(-J))
call("ops: isclose allclose", A, A + np.float32(1e-6))
call("ops: isclose allclose", A, A + np.float32(1e-3), rtol=1e-2)
call("ops: isclose allclose", A, A + np.float32(1e-3), atol=1e-2)
call("ops: isclose allclose", POINTS, POINTS, equal_nan=True)
call("ops: isclose allclose", POINTS, POINTS)
spec("ops: isclose allclose", I, J)
mark("ops: nextafter", gradient="")
for _name in expand("ops: equal not_equal less less_equal greater greater_equal isclose"):
    entry(_name).gradient = ""
